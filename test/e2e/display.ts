/**
 * Gives the end-to-end tests a screen: on a Linux without one it starts Xvfb and ends it with the tests.
 * It is the tests' global setup and does nothing else.
 */
import { type ChildProcess, spawn } from 'node:child_process';

/** Starts a virtual screen where there is none; returns how to end it. */
export async function setup(): Promise<(() => void) | undefined> {
  if (process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY) return undefined;
  const screen = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1440x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  process.env.DISPLAY = `:${await displayNumber(screen)}`;
  return () => {
    screen.kill();
  };
}

function displayNumber(screen: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    screen.stdio[3]?.on('data', (data: Buffer) => {
      text += data.toString();
      if (text.endsWith('\n')) resolve(text.trim());
    });
    screen.once('error', () => reject(new Error('No screen, and no Xvfb to make one: apt-get install xvfb, or set DISPLAY.')));
    screen.once('exit', (code) => reject(new Error(`Xvfb ended with exit code ${code}.`)));
  });
}
