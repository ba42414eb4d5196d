/**
 * The window: Electron's main process, which starts the host, shows the built renderer and joins the two with a channel.
 * It holds no data and decides nothing; what the window may do is in shell/window-policy.ts.
 */
import { isAbsolute, join, normalize } from 'node:path';
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  MessageChannelMain,
  protocol,
  screen,
  session,
  shell,
  utilityProcess,
} from 'electron';
import { dataFolderPath, prepareDataFolder } from './service/data-folder.ts';
import { errorRecord } from './shared/errors.ts';
import { type BuiltFile, readBuiltFiles } from './shell/built-files.ts';
import { childEnvironment, externalNode } from './shell/child-node.ts';
import type { HostProcess, HostStart } from './shell/host-process.ts';
import { startHostUnderNode } from './shell/host-relay.ts';
import { startHostAsUtility } from './shell/host-utility.ts';
import { menuTemplate } from './shell/menu.ts';
import { readBounds, smallest, writeBounds } from './shell/window-bounds.ts';
import {
  answerScheme,
  downloadAllowed,
  fromOwnPage,
  navigationAllowed,
  pageAddress,
  permissionAllowed,
  requestAllowed,
  webPreferences,
} from './shell/window-policy.ts';

// This file runs as out/main/main.cjs.
const output = join(__dirname, '..');
const project = join(output, '..');
const data = dataFolderPath(undefined);
const boundsFile = join(data, 'window', 'bounds.json');

/** A host that dies again and again is not started for ever: at most this many starts a minute. */
const mostStarts = 3;
let starts: number[] = [];
let host: HostProcess | null = null;
let death = '';
let window: BrowserWindow | null = null;
let ended = false;

function startHost(): void {
  const now = Date.now();
  starts = [...starts.filter((time) => now - time < 60_000), now];
  const start: HostStart = {
    hostEntry: join(output, 'main', 'host.cjs'),
    computeEntry: join(output, 'main', 'compute.cjs'),
    dataFolder: data,
    resources: join(project, 'resources'),
    environment: childEnvironment(),
    onDeath(reason) {
      host = null;
      death = reason;
      window?.webContents.send('hopscope:closed', reason);
    },
  };
  const node = externalNode(project);
  if (node !== null) host = startHostUnderNode(node, start);
  else {
    const fork = (entry: string, parameters: string[], serviceName: string) =>
      utilityProcess.fork(entry, parameters, { serviceName, env: start.environment, execArgv: [], stdio: 'inherit' });
    host = startHostAsUtility({ fork, channel: () => new MessageChannelMain() }, start);
  }
}

/** Gives the page a channel to the host, which is started anew where it has died. */
function connectPage(page: Electron.WebContents): void {
  if (host === null && starts.filter((time) => Date.now() - time < 60_000).length < mostStarts) startHost();
  if (host === null) {
    page.send('hopscope:closed', death);
    return;
  }
  const { port1, port2 } = new MessageChannelMain();
  host.connect(port1);
  page.postMessage('hopscope:port', null, [port2]);
}

function openWindow(): void {
  const bounds = readBounds(
    boundsFile,
    screen.getAllDisplays().map((display) => display.workArea),
  );
  const { maximized, ...place } = bounds;
  window = new BrowserWindow({
    ...place,
    minWidth: smallest.width,
    minHeight: smallest.height,
    title: 'Hopscope',
    show: false,
    webPreferences: webPreferences(join(output, 'preload', 'preload.cjs'), app.isPackaged),
  });
  if (maximized) window.maximize();
  window.once('ready-to-show', () => window?.show());
  window.on('close', () => {
    if (window) writeBounds(boundsFile, { ...window.getNormalBounds(), maximized: window.isMaximized() });
  });
  window.on('closed', () => {
    window = null;
  });
  window.loadURL(pageAddress);
}

function serveScheme(files: Map<string, BuiltFile>): void {
  // Electron 25 brought `handle`; before, a buffer protocol does the same.
  if (typeof protocol.handle === 'function') {
    protocol.handle('app', (request) => {
      const { status, headers, body } = answerScheme(request.url, files);
      return new Response(new Uint8Array(body), { status, headers });
    });
  } else {
    (protocol as Electron.Protocol).registerBufferProtocol('app', (request, respond) => {
      const { status, headers, body } = answerScheme(request.url, files);
      respond({ statusCode: status, headers, mimeType: headers['Content-Type']?.split(';')[0], charset: 'utf-8', data: body });
    });
  }
}

function restrictSession(): void {
  const own = session.defaultSession;
  own.setPermissionRequestHandler((_contents, permission, decide) => decide(permissionAllowed(permission)));
  own.setPermissionCheckHandler((_contents, permission) => permissionAllowed(permission));
  own.setDevicePermissionHandler(() => false);
  // What a screen saves is asked for in a native dialog, since no path is set for it here.
  own.on('will-download', (event, item) => {
    if (!downloadAllowed(item.getURL())) event.preventDefault();
  });
  own.webRequest.onBeforeRequest((details, decide) => decide({ cancel: !requestAllowed(details.url) }));
}

app.on('web-contents-created', (_event, contents) => {
  const prevent = (event: { preventDefault(): void }) => event.preventDefault();
  // The address is a member of the event only since Electron 25.
  contents.on('will-navigate', (event, address) => {
    if (!navigationAllowed(event.url ?? address)) event.preventDefault();
  });
  contents.on('will-frame-navigate', (event) => {
    if (!event.isMainFrame || !navigationAllowed(event.url)) event.preventDefault();
  });
  contents.on('will-redirect', prevent);
  contents.on('will-attach-webview', prevent);
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
});

app.on('second-instance', () => {
  if (window?.isMinimized()) window.restore();
  window?.focus();
});
app.on('window-all-closed', () => app.quit());
app.on('will-quit', (event) => {
  if (ended || host === null) return;
  event.preventDefault();
  host.stop().finally(() => {
    ended = true;
    app.quit();
  });
});

ipcMain.on('hopscope:connect', (event) => {
  if (fromOwnPage(event) && event.sender === window?.webContents) connectPage(event.sender);
});

/** The system's dialog for a folder, over the window that asks; what is chosen goes to that page alone. */
ipcMain.handle('hopscope:choose-folder', async (event) => {
  if (!fromOwnPage(event) || window === null || event.sender !== window.webContents) return null;
  const { canceled, filePaths } = await dialog.showOpenDialog(window, { properties: ['openDirectory'] });
  return canceled ? null : (filePaths[0] ?? null);
});

/** Shows a folder among its neighbours; opening it could start it, where the system takes some folders for programs. */
ipcMain.on('hopscope:show-folder', (event, path: unknown) => {
  if (!fromOwnPage(event) || event.sender !== window?.webContents) return;
  if (typeof path === 'string' && isAbsolute(path)) shell.showItemInFolder(normalize(path));
});

function start(): void {
  prepareDataFolder(data);
  // Chromium's own files live under the data folder too, and the lock with them: one window for each data folder.
  app.setPath('userData', prepareDataFolder(join(data, 'window')));
  // Where the tests must do without Chromium's sandbox (root in a container), asking for it would end every child process.
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
  protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } }]);
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  app.whenReady().then(showWorkbench).catch(giveUp);
}

function showWorkbench(): void {
  serveScheme(readBuiltFiles(join(output, 'renderer')));
  restrictSession();
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform, app.isPackaged, () => shell.openPath(data))));
  startHost();
  openWindow();
}

function giveUp(error: unknown): void {
  const { code, message } = errorRecord(error);
  process.stderr.write(`error[${code}]: ${message}\n`);
  app.exit(1);
}

try {
  start();
} catch (error) {
  giveUp(error);
}
