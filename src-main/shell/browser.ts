/**
 * Opens an address of this machine in the user's browser with the platform's own command.
 * It is for `serve` and the start script; the Electron window opens nothing.
 */
import { spawn } from 'node:child_process';

/** The command that opens `address` in a browser. */
export function browserCommand(address: string, platform: string = process.platform): [command: string, parameters: string[]] {
  if (platform === 'darwin') return ['open', [address]];
  // `start` is part of cmd; its first quoted word would be a window title.
  if (platform === 'win32') return ['cmd', ['/c', 'start', '""', address]];
  return ['xdg-open', [address]];
}

/** Tries to open the browser; resolves to whether a command for it started. Only `http://127.0.0.1:PORT/...` is ever opened. */
export function openBrowser(address: string): Promise<boolean> {
  if (!/^http:\/\/127\.0\.0\.1:\d+\/[\w#=-]*$/.test(address)) return Promise.resolve(false);
  const [command, parameters] = browserCommand(address);
  return new Promise((resolve) => {
    const child = spawn(command, parameters, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
