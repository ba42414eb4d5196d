/**
 * What the workbench's window may do, as plain values and decisions: web preferences, addresses, requests, answers of the `app:` scheme.
 * main.ts applies them to Electron; the headers themselves are in security.ts.
 */
import type { BuiltFile } from './built-files.ts';
import { securityHeaders } from './security.ts';

/** The origin of the window's page. */
export const pageOrigin = 'app://bundle';
export const pageAddress = `${pageOrigin}/`;

/** The web preferences of the window; `packaged` turns the developer tools off. */
export function webPreferences(preload: string, packaged: boolean) {
  return {
    preload,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    // The spelling checker would download dictionaries.
    spellcheck: false,
    safeDialogs: true,
    devTools: !packaged,
  };
}

/** Whether the window may load `address` at all: nothing that leaves this process. */
export function requestAllowed(address: string): boolean {
  return /^(app|blob|data|devtools):/.test(address);
}

/** Whether the window may go to `address`: only to its own page, which is to say reload it. */
export function navigationAllowed(address: string): boolean {
  return address.split('#')[0] === pageAddress;
}

/** Whether the page may have a permission: only to copy text or a figure to the clipboard, on the user's click. */
export function permissionAllowed(permission: string): boolean {
  return permission === 'clipboard-sanitized-write';
}

/** Whether `address` may be saved as a file: only what the page itself has made. */
export function downloadAllowed(address: string): boolean {
  return address.startsWith(`blob:${pageOrigin}/`);
}

/** The parts of an Electron message event that say who sent it. */
export interface SenderEvent {
  sender: { mainFrame: unknown };
  senderFrame: { origin: string } | null;
}

/** Whether a message came from the page itself: the window's top frame, at the page's own origin. */
export function fromOwnPage(event: SenderEvent): boolean {
  return event.senderFrame !== null && event.senderFrame === event.sender.mainFrame && event.senderFrame.origin === pageOrigin;
}

/** One answer of the `app:` scheme. */
export interface SchemeAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** Answers a request for `address` from the built files, by exact string; everything else is 404. */
export function answerScheme(address: string, files: Map<string, BuiltFile>): SchemeAnswer {
  // A reload of `app://bundle/#/runs` asks with the fragment, which no HTTP client would send.
  const resource = address.split('#')[0] ?? '';
  const path = resource.startsWith(pageAddress) ? resource.slice(pageOrigin.length) : '';
  const file = files.get(path);
  if (!file)
    return {
      status: 404,
      headers: { ...securityHeaders(), 'Content-Type': 'text/plain; charset=utf-8' },
      body: Buffer.from('Nothing here.\n'),
    };
  return { status: 200, headers: { ...securityHeaders(), 'Content-Type': file.type }, body: file.body };
}
