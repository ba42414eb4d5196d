/**
 * What the window's shell offers the page besides the port to the host, under `globalThis.hopscopeShell`; in a browser it is absent.
 * Types only: preload.ts offers it, state/shell.ts of the screens finds it. What can be asked of the host is in contract.ts.
 */

export interface Shell {
  /** Asks the user for a folder in the system's own dialog; null where they chose none. */
  chooseFolder(): Promise<string | null>;
  /** The path of a file or folder (a `File`) that the user dropped onto the page; null where it has none. */
  pathOfFile(file: object): string | null;
  /** Shows a folder of this machine in the system's file manager, chosen in the folder that holds it; nothing where it is not there. */
  showFolder(path: string): void;
}

/** The name under which the page finds it. */
export const shellName = 'hopscopeShell';
