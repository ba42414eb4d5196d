/**
 * The window's preload script: hands the page a MessagePort to the host whenever the page asks for one, and offers it `Shell`: the
 * folder dialog, the paths of dropped folders, and a folder's place in the file manager. It exposes no Electron API; everything else goes over that port.
 *
 * Page -> preload: `window.postMessage({ type: 'hopscope-ready' }, origin)`.
 * Preload -> page: a `message` event whose data is `{ type: 'hopscope-port' }` and whose `ports[0]` is the host's port,
 * and `{ type: 'hopscope-closed', message }` when the host has died: every port is dead then, ask for a new one.
 */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { type Shell, shellName } from './shared/contract-shell.ts';

/** The few members of the page's window that are used; the main side is type checked without the DOM. */
interface Page {
  location: { origin: string };
  addEventListener(type: 'message', listener: (event: PageMessage) => void): void;
  addEventListener(type: 'pagehide', listener: () => void): void;
  postMessage(message: object, origin: string, transfer?: unknown[]): void;
}

interface PageMessage {
  source: unknown;
  data: unknown;
  ports: readonly { close(): void }[];
}

const page = globalThis as unknown as Page;

page.addEventListener('message', ({ source, data, ports }) => {
  if (source !== page || typeof data !== 'object' || data === null || !('type' in data)) return;
  if (data.type === 'hopscope-ready') ipcRenderer.send('hopscope:connect');
  // Chromium 108 crashes when a page is unloaded with its port in use: close the port first.
  if (data.type === 'hopscope-port') page.addEventListener('pagehide', () => ports[0]?.close());
});

ipcRenderer.on('hopscope:port', (event) => {
  page.postMessage({ type: 'hopscope-port' }, page.location.origin, [...event.ports]);
});

ipcRenderer.on('hopscope:closed', (_event, message: unknown) => {
  page.postMessage({ type: 'hopscope-closed', message: String(message) }, page.location.origin);
});

const shell: Shell = {
  async chooseFolder() {
    const path: unknown = await ipcRenderer.invoke('hopscope:choose-folder');
    return typeof path === 'string' ? path : null;
  },
  pathOfFile(file) {
    // Electron before 29 has no webUtils; there the page's own File says where it is
    const path: unknown = (webUtils as typeof webUtils | undefined)?.getPathForFile(file as never);
    return typeof path === 'string' && path !== '' ? path : null;
  },
  showFolder(path) {
    ipcRenderer.send('hopscope:show-folder', String(path));
  },
};

contextBridge.exposeInMainWorld(shellName, Object.freeze(shell));
