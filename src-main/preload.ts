/**
 * The window's preload script: hands the page a MessagePort to the host whenever the page asks for one.
 * It exposes no Electron API and no function to the page; everything else goes over that port.
 *
 * Page -> preload: `window.postMessage({ type: 'hopscope-ready' }, origin)`.
 * Preload -> page: a `message` event whose data is `{ type: 'hopscope-port' }` and whose `ports[0]` is the host's port,
 * and `{ type: 'hopscope-closed', message }` when the host has died: every port is dead then, ask for a new one.
 */
import { ipcRenderer } from 'electron';

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
