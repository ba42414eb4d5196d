/**
 * `npm start`: builds what is not built, then opens the workbench - in Electron, or where that cannot be, in the browser, saying why.
 * `npm start -- --browser` opens it in the browser at once.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { openBrowser } from '../shell/browser.ts';
import { build, isBuilt, project } from './build.mjs';
import { electronBinary, fetchElectron } from './electron.mjs';

/** An Electron that ends sooner than this with an error did not open a window. */
const startSeconds = 8;

function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Lets a child outlive no signal that ends this process: Ctrl-C reaches it by itself, and this process waits for its end. */
function follow(child) {
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return child;
}

/** Why this session cannot have a window, or null. */
function noWindowReason() {
  if (process.argv.includes('--browser')) return 'As asked, without Electron.';
  if (process.platform !== 'linux') return null;
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return 'There is no screen here (no DISPLAY) for an Electron window.';
  if (process.getuid?.() === 0) return 'Electron does not run as root with its sandbox.';
  return null;
}

/** Runs Electron to its end. Resolves to its exit code, or to a sentence where it did not get as far as a window. */
function runElectron(binary) {
  const begun = Date.now();
  const child = follow(spawn(binary, [project], { stdio: 'inherit' }));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`Electron could not be started (${error.message}).`));
    child.once('exit', (code, signal) => {
      if (code !== 0 && Date.now() - begun < startSeconds * 1000)
        resolve(`Electron ended at once (${signal ?? `exit code ${code}`}).`);
      else resolve(code ?? 1);
    });
  });
}

/** Runs `serve` to its end, and opens its address in the browser. */
function runServe() {
  const child = spawn(process.execPath, [join(project, 'out', 'main', 'cli.cjs'), 'serve'], {
    stdio: ['inherit', 'pipe', 'inherit'],
  });
  // Ctrl-C reaches the server by itself; this process waits for it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  let text = '';
  let opened = false;
  child.stdout.on('data', async (data) => {
    process.stdout.write(data);
    text += data;
    const address = /http:\/\/127\.0\.0\.1:\d+\/#t=[\w-]+/.exec(text)?.[0];
    if (opened || !address) return;
    opened = true;
    const graphical = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
    if (graphical && (await openBrowser(address))) say('Opening it in your browser. Ctrl-C ends the workbench.');
    else say('Open this address in a browser on this machine. Ctrl-C ends the workbench.');
  });
  // 130 is the end by Ctrl-C, the way it is meant to end.
  return new Promise((resolve) => child.once('exit', (code) => resolve(code === 130 ? 0 : (code ?? 0))));
}

async function main() {
  if (!isBuilt()) {
    say('Building the workbench ...');
    if (!build({ quiet: true })) return 1;
  }
  let reason = noWindowReason();
  if (reason === null) {
    if (!electronBinary()) say('Downloading Electron, once (about 120 MB) ...');
    const binary = fetchElectron();
    const outcome = binary === null ? 'The Electron binary cannot be downloaded here.' : await runElectron(binary);
    if (typeof outcome === 'number') return outcome;
    reason = outcome;
  }
  say(`${reason} The same workbench opens in the browser.`);
  return runServe();
}

process.exitCode = await main();
