/**
 * The window's own abilities - a folder dialog, the paths of dropped folders - where the page is in one; in a browser there are none.
 * What they are is in contract-shell.ts; screens ask here whether they have them.
 */
import { type Shell, shellName } from '../../src-main/shared/contract-shell.ts';

/** Null in a browser. */
export function shellOf(view: Window): Shell | null {
  return (view as unknown as { [shellName]?: Shell })[shellName] ?? null;
}

/** Paths of what was dropped, as far as the shell tells them. */
export function droppedPaths(shell: Shell | null, transfer: DataTransfer | null): string[] {
  return [...(transfer?.files ?? [])].flatMap((file) => {
    // Windows before Electron 29 tell it in the file itself
    const path = shell?.pathOfFile(file) ?? (file as File & { path?: string }).path;
    return path === undefined || path === '' ? [] : [path];
  });
}
