/**
 * Starts the built workbench for a test, in Chromium through `serve` or in Electron, on a data folder of its own.
 * It records what no test may overlook: errors of the page, and requests that leave the machine.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron, chromium, type ElectronApplication, errors, type Page } from 'playwright';

export const project = process.env.HOPSCOPE_PROJECT ?? join(import.meta.dirname, '..', '..');

/** A running workbench. */
export interface Workbench {
  page: Page;
  dataFolder: string;
  /** Errors on the console and uncaught ones, in order; warnings are not errors. */
  problems: string[];
  /** Addresses the page asked for that are not on this machine. */
  outside: string[];
  /** Does what makes the page save a file, and puts that file at `path` (in a window, without the dialog that asks where). */
  save(act: () => Promise<void>, path: string): Promise<void>;
  /** Loads the page anew, as the browser's key or the window's menu does. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** A workbench in Electron, with Playwright's hold on its main process. */
export interface WindowWorkbench extends Workbench {
  application: ElectronApplication;
}

/** How a workbench is started; without `dataFolder` it is a fresh one that goes with the workbench. */
export type OpenWorkbench = (options?: { dataFolder?: string }) => Promise<Workbench>;

/** The shells to test: both, or the one named in HOPSCOPE_SHELL (`browser` or `window`). */
export const shells: { name: string; open: OpenWorkbench }[] = [
  { name: 'browser', open: openInBrowser },
  { name: 'window', open: openInWindow },
].filter(({ name }) => process.env.HOPSCOPE_SHELL === undefined || process.env.HOPSCOPE_SHELL === name);

/** `hopscope serve` under this Node, and its address in a Chromium. */
export async function openInBrowser(options: { dataFolder?: string } = {}): Promise<Workbench> {
  const data = folderFor(options.dataFolder);
  const { url, server } = await startServe(data.folder);
  const browser = await chromium.launch({ executablePath: required('HOPSCOPE_CHROMIUM'), args: ['--no-sandbox'] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  const { problems, outside } = watch(page);
  if (hostDelay > 0) await answerSlowly(page);
  await page.goto(url);
  return {
    page,
    dataFolder: data.folder,
    problems,
    outside,
    async save(act, path) {
      const download = page.waitForEvent('download');
      await act();
      await (await download).saveAs(path);
    },
    async reload() {
      await page.reload();
    },
    async close() {
      await browser.close();
      await end(server);
      data.remove();
    },
  };
}

/**
 * Milliseconds that everything from the host comes late in the browser: HOPSCOPE_DELAY=400 finds tests, and screens, that do not
 * wait for what they need. A quick machine passes them, and a busy one fails.
 */
const hostDelay = Number(process.env.HOPSCOPE_DELAY ?? 0);

async function answerSlowly(page: Page): Promise<void> {
  await page.routeWebSocket(/./, (socket) => {
    const host = socket.connectToServer();
    // One after another, in order: the delay is the same for all
    host.onMessage((message) => void setTimeout(() => socket.send(message), hostDelay));
  });
}

/** What opening a window may take; an idle machine needs two seconds. */
const windowMilliseconds = 40_000;

/**
 * Electron on the project's folder. One whose Node is too old for the host runs it under this Node. A start that hangs, as the debugger's side of
 * Electron 22 rarely does, is said and made once more.
 */
export async function openInWindow(options: { dataFolder?: string } = {}): Promise<WindowWorkbench> {
  try {
    return await startWindow(options);
  } catch (error) {
    if (!(error instanceof errors.TimeoutError)) throw error;
    console.warn(`The window did not open within ${windowMilliseconds / 1000} s; starting it again.`);
    return startWindow(options);
  }
}

async function startWindow(options: { dataFolder?: string }): Promise<WindowWorkbench> {
  const data = folderFor(options.dataFolder);
  const application = await _electron.launch({
    timeout: windowMilliseconds,
    executablePath: required('HOPSCOPE_ELECTRON'),
    // Containers have no user namespaces for Chromium's sandbox; the page is sandboxed by the window's own settings all the same.
    args: ['--no-sandbox', project],
    env: { ...environment(), HOPSCOPE_DATA: data.folder },
  });
  try {
    return await readyWindow(application, data);
  } catch (error) {
    application.process().kill('SIGKILL');
    throw error;
  }
}

async function readyWindow(application: ElectronApplication, data: ReturnType<typeof folderFor>): Promise<WindowWorkbench> {
  const page = await application.firstWindow({ timeout: windowMilliseconds });
  const { problems, outside } = watch(page);
  // The menu's way: the debugger's own reload fails in Electron 22 once the address has a fragment.
  const reload = async () => {
    const loaded = page.waitForEvent('load', { timeout: windowMilliseconds });
    await application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.reload());
    await loaded;
  };
  // What went wrong before the page was handed over would go unnoticed: load it once more.
  await reload();
  return {
    page,
    dataFolder: data.folder,
    problems,
    outside,
    application,
    async save(act, path) {
      const saved = application.evaluate(
        ({ session }, place) =>
          new Promise<string>((resolve) => {
            session.defaultSession.once('will-download', (_event, item) => {
              item.setSavePath(place);
              item.once('done', (_done, state) => resolve(state));
            });
          }),
        path,
      );
      await act();
      if ((await saved) !== 'completed') throw new Error('The file was not saved.');
    },
    reload,
    async close() {
      await application.close();
      data.remove();
    },
  };
}

/**
 * The value of an expression in the page's own world. Playwright's `evaluate` would be an `eval` there, which the page's
 * content security policy refuses; the debugger's is not.
 */
export async function inPage(page: Page, expression: string): Promise<unknown> {
  const debug = await page.context().newCDPSession(page);
  const { result, exceptionDetails } = await debug.send('Runtime.evaluate', {
    expression,
    awaitPromise: true,
    returnByValue: true,
  });
  await debug.detach();
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}

/** Runs one command of the command line on a data folder and returns the object it prints. */
export function commandLine(parameters: string[], dataFolder: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const all = [join(project, 'out', 'main', 'cli.cjs'), ...parameters, '--json', '--data', dataFolder];
    execFile(process.execPath, all, { env: environment(), maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(JSON.parse(stdout));
    });
  });
}

/** Starts `serve` and waits for its address, the only thing it prints on stdout. */
export function startServe(dataFolder: string): Promise<{ url: string; server: ChildProcess }> {
  const server = spawn(process.execPath, [join(project, 'out', 'main', 'cli.cjs'), 'serve', '--data', dataFolder], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    let text = '';
    server.stdout?.on('data', (data: Buffer) => {
      text += data.toString();
      const url = /http:\/\/127\.0\.0\.1:\d+\/#t=[\w-]+/.exec(text)?.[0];
      if (url) resolve({ url, server });
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`serve ended with exit code ${code} before it printed an address.`)));
  });
}

/** Asks a server to end and waits for it. */
export function end(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve();
    const timer = setTimeout(() => server.kill('SIGKILL'), 10_000);
    server.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    server.kill('SIGTERM');
  });
}

function watch(page: Page): { problems: string[]; outside: string[] } {
  const problems: string[] = [];
  const outside: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  const check = (address: string) => {
    if (!/^(app:|blob:|data:|(http|ws):\/\/(127\.0\.0\.1|localhost)[:/])/.test(address)) outside.push(address);
  };
  page.on('request', (request) => check(request.url()));
  page.on('websocket', (socket) => check(socket.url()));
  return { problems, outside };
}

function folderFor(given: string | undefined): { folder: string; remove(): void } {
  if (given !== undefined) return { folder: given, remove() {} };
  const folder = mkdtempSync(join(tmpdir(), 'hopscope-e2e-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }) };
}

/** This process's environment with the Node that runs the tests for the host, and without the test runner's own settings. */
function environment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(VITEST|NODE_OPTIONS|NODE_ENV)/.test(entry[0]),
  );
  return Object.fromEntries(entries);
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the end-to-end tests with "npm test -- e2e".`);
  return value;
}
