/**
 * What a command of the command line is, what it is given and what it may ask for.
 * It knows no command and no argument parser.
 */
import type { ExecutorSettings } from '../engine/execution/executor.ts';
import type { Progress } from '../shared/records.ts';
import type { Installation } from './installation.ts';

export interface Command {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** The one argument without a name, where there is one; it must be given. */
  argument?: { name: string; help: string };
  options: readonly CommandOption[];
  /** Prints its result through `context.print`, once. */
  run(given: Given, context: Context): Promise<void>;
}

export interface CommandOption {
  /** Without the dashes. */
  name: string;
  /** What stands for the value in the help, such as `FOLDER`; absent for a switch. */
  value?: string;
  help: string;
  required?: boolean;
  choices?: readonly string[];
}

/** Arguments after parsing; whatever is required is there. */
export interface Given {
  argument: string;
  /** A required option. */
  text(name: string): string;
  optional(name: string): string | undefined;
  isSet(name: string): boolean;
}

export interface Context {
  installation: Installation;
  /** As chosen by `--data`, HOPSCOPE_DATA or the platform; it may not exist. */
  dataFolder: string;
  /** As given by `--device` and `--threads`. */
  device: string | undefined;
  threads: number | undefined;
  /** Bytes of memory to keep to, as given by `--memory`. */
  memory: number | undefined;
  /** Bytes of the device's memory to keep to, as given by `--device-memory`. */
  deviceMemory: number | undefined;
  /** Aborts on Ctrl-C. */
  signal: AbortSignal;
  /** The result: an object with `--json`, else text for people. Called once. */
  print(result: object, text: string): void;
  /** A line on stderr. */
  warn(message: string): void;
  /** Shows how far the work is, on stderr. */
  progress(progress: Progress): void;
  /** The device, threads and memory of the device to compute with in this process. Errors: `DeviceUnavailable`. */
  session(): Promise<Pick<ExecutorSettings, 'device' | 'threads' | 'deviceBytes'>>;
}
