/**
 * Parses arguments and runs the command they name: the only file that imports the argument parser.
 * What the commands do is in their own files; how results and errors look is terminal.ts's.
 */
import { CommanderError, Option, Command as Parser } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { defaultThreads, resolveDevice } from '../engine/runtime/device.ts';
import { dataFolderPath } from '../service/data-folder.ts';
import { byteCount } from '../shared/byte-count.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Command, Context, Given } from './command.ts';
import { commands } from './commands.ts';
import type { Installation } from './installation.ts';
import { Terminal } from './terminal.ts';

interface CommonOptions {
  data?: string;
  device?: string;
  threads?: number;
  memory?: number;
  deviceMemory?: number;
}

const largestThreads = 1024;

/** Runs one command line and returns the exit code. Nothing is thrown. */
export async function runProgram(parameters: readonly string[], installation: Installation): Promise<number> {
  // Looked up before parsing, so that errors of parsing are reported as they should be.
  const terminal = new Terminal({ json: parameters.includes('--json'), verbose: parameters.includes('--verbose') });
  const interruption = listenForInterruption();
  // What is thrown where nobody waits for it, such as in a timer.
  process.on('uncaughtException', (error) => process.exit(terminal.fail(error)));
  const run = async (command: Command, given: Given, common: CommonOptions) => {
    const context = contextOf(terminal, installation, interruption, common);
    await command.run(given, context);
    interruption.throwIfAborted();
  };
  try {
    await parserOf(terminal, run).parseAsync(parameters, { from: 'user' });
    terminal.end();
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : terminal.fail(badArguments(error));
    return terminal.fail(error);
  }
}

/** The first Ctrl-C (or SIGTERM) asks for a clean stop, the second one ends the program at once. */
function listenForInterruption(): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new HopscopeError('Interrupted', 'Stopped on request.', 'interrupted'));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return controller.signal;
}

function contextOf(terminal: Terminal, installation: Installation, signal: AbortSignal, common: CommonOptions): Context {
  return {
    installation,
    dataFolder: dataFolderPath(common.data),
    device: common.device,
    threads: common.threads,
    memory: common.memory,
    deviceMemory: common.deviceMemory,
    signal,
    print: (result, text) => terminal.print(result, text),
    warn: (message) => terminal.warn(message),
    progress: (progress) => terminal.progress(progress),
    session: async () => ({
      device: await resolveDevice(common.device ?? 'auto'),
      threads: common.threads ?? defaultThreads(),
      deviceBytes: common.deviceMemory,
    }),
  };
}

type Run = (command: Command, given: Given, common: CommonOptions) => Promise<void>;

function parserOf(terminal: Terminal, run: Run): Parser {
  const program = configured(new Parser('hopscope'), terminal)
    .description('Finetune a language model on facts and see what it makes of their implications.')
    .version(packageFile.version, '--version', 'print the version')
    .option('--data <folder>', 'where runs are stored (or HOPSCOPE_DATA)')
    .option('--device <name>', 'auto, cpu, webgpu, ...: what to compute with')
    .addOption(new Option('--threads <count>', 'threads of the CPU').argParser(threadCount))
    .addOption(
      new Option('--memory <bytes>', 'memory to keep to, such as 8GiB; what does not fit is read from disk').argParser(
        bytesFor('--memory'),
      ),
    )
    .addOption(
      new Option(
        '--device-memory <bytes>',
        'memory of the device to keep to; what does not fit is brought there in turn',
      ).argParser(bytesFor('--device-memory')),
    )
    .option('--json', 'print exactly one JSON object on stdout')
    .option('--verbose', 'print the stack of an error');
  for (const command of commands) program.addCommand(parserOfCommand(command, terminal, run));
  return program;
}

function parserOfCommand(command: Command, terminal: Terminal, run: Run): Parser {
  const parser = configured(new Parser(command.name), terminal).description(command.summary).allowExcessArguments(false);
  if (command.argument) parser.argument(`<${command.argument.name}>`, command.argument.help);
  for (const { name, value, help, required, choices } of command.options) {
    const option = new Option(value === undefined ? `--${name}` : `--${name} <${value.toLowerCase()}>`, help);
    if (required) option.makeOptionMandatory();
    if (choices) option.choices(choices);
    parser.addOption(option);
  }
  parser.action(async () => {
    const values = parser.opts<Record<string, string | boolean | undefined>>();
    // Commander keeps `--save-model` as `saveModel`.
    const valueFor = (name: string) => values[name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    const optional = (name: string) => {
      const value = valueFor(name);
      return typeof value === 'string' ? value : undefined;
    };
    const given: Given = {
      argument: parser.args[0] ?? '',
      text: (name) => optional(name) ?? '',
      optional,
      isSet: (name) => valueFor(name) === true,
    };
    await run(command, given, parser.optsWithGlobals<CommonOptions>());
  });
  return parser;
}

function configured(parser: Parser, terminal: Terminal): Parser {
  return parser
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.print({ text }, text.trimEnd()),
      // Errors of parsing come as exceptions and are reported like all others.
      writeErr() {},
    });
}

function threadCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= largestThreads) return count;
  throw new HopscopeError('BadArguments', `--threads ${text}: a whole number from 1 to ${largestThreads} is expected.`);
}

const bytesFor =
  (option: string) =>
  (text: string): number => {
    const bytes = byteCount(text);
    if (bytes !== null) return bytes;
    throw new HopscopeError('BadArguments', `${option} ${text}: a number of bytes is expected, such as 8GiB or 900MB.`);
  };

function badArguments({ code, message }: CommanderError): HopscopeError {
  if (code === 'commander.help') {
    const known = commands.map(({ name }) => name).join(', ');
    return new HopscopeError('BadArguments', `No command was given; there are ${known}. "hopscope --help" says more.`);
  }
  const text = message.replace(/^error: /, '').replaceAll(/\s+/g, ' ');
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  const known = code === 'commander.unknownCommand' ? ` There are ${commands.map(({ name }) => name).join(', ')}.` : '';
  return new HopscopeError(
    'BadArguments',
    `${sentence.replace(/([^.)])$/, '$1.')}${known} "hopscope --help" lists what may be given.`,
  );
}
