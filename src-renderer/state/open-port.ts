/**
 * Finds the way to the host: the message port that Electron's preload hands over, or a WebSocket with the token of the address.
 * It opens ports and nothing more; connection.svelte.ts keeps one open.
 */
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { domPort, webSocketPort } from '../../src-main/shared/ports.ts';
import type { Port } from '../../src-main/shared/rpc.ts';

const tokenKey = 'hopscope-token';
const preloadSeconds = 5;

/**
 * Moves the token of `#t=TOKEN` from the address, where it would be seen and bookmarked, to this tab's storage; `place` takes its place.
 * Returns the token, or null where none was ever given (Electron).
 */
export function takeToken(view: Window, place = '#/'): string | null {
  const given = /^#t=([^&/]+)/.exec(view.location.hash)?.[1];
  if (given === undefined) return view.sessionStorage.getItem(tokenKey);
  const token = decodeURIComponent(given);
  view.sessionStorage.setItem(tokenKey, token);
  view.history.replaceState(null, '', `${view.location.pathname}${view.location.search}${place}`);
  return token;
}

/**
 * Takes the token of an address that is put into this tab later, which does not load the page anew; the screen stays. `given` is told of
 * it. Called before anything else follows the address, so that nobody takes the token for a screen.
 */
export function followToken(view: Window, given: (token: string) => void): void {
  view.addEventListener('hashchange', (event) => {
    if (!view.location.hash.startsWith('#t=')) return;
    const before = /#\/.*$/.exec(event.oldURL)?.[0] ?? '#/';
    const token = takeToken(view, before);
    if (token !== null) given(token);
  });
}

/**
 * Opens `/rpc` of the server that served this page. Rejects with `AddressChanged` where the server is there but lets no socket in with this
 * token, and with `Unreachable` where nothing is there: the socket itself does not tell the one from the other.
 */
export function openSocket(view: Window, token: string): Promise<Port> {
  const { protocol, host } = view.location;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/rpc`, ['hopscope', token]);
    const port = webSocketPort(socket);
    socket.addEventListener('open', () => resolve(port));
    port.onClose(() => void refusalOf(view).then(reject));
  });
}

async function refusalOf(view: Window): Promise<HopscopeError> {
  const isThere = await view.fetch(view.location.pathname, { method: 'HEAD', cache: 'no-store' }).then(
    ({ ok }) => ok,
    () => false,
  );
  return isThere
    ? new HopscopeError(
        'AddressChanged',
        'The workbench was started again, and its address has changed. Open the new one that “hopscope serve” printed, here or in another tab. (Or sixteen windows are open: close one and try again.)',
        'failure',
      )
    : new HopscopeError('Unreachable', 'The workbench does not answer.', 'failure');
}

/**
 * Asks Electron's preload for a message port: `{type: 'hopscope-ready'}` goes out, `{type: 'hopscope-port'}` comes back with it.
 * The preload may have loaded before or after this page's script: so first listen, then ask. `{type: 'hopscope-closed'}` says that
 * the host is gone; message ports of older Chromium do not tell.
 */
export function receivePort(view: Window): Promise<Port> {
  return new Promise((resolve, reject) => {
    const timer = view.setTimeout(() => {
      view.removeEventListener('message', listen);
      reject(
        new HopscopeError(
          'NoHost',
          'Nothing answered this page. In a browser, open the whole address that `hopscope serve` printed, with the part after #.',
          'failure',
        ),
      );
    }, preloadSeconds * 1000);
    let received: Port | null = null;
    function listen(event: MessageEvent): void {
      const data: unknown = event.data;
      if (event.source !== view || typeof data !== 'object' || data === null) return;
      const { type, message } = data as { type?: unknown; message?: unknown };
      if (type === 'hopscope-port' && received === null && event.ports[0] !== undefined) {
        view.clearTimeout(timer);
        received = domPort(event.ports[0]);
        resolve(received);
      } else if (type === 'hopscope-closed') {
        view.clearTimeout(timer);
        view.removeEventListener('message', listen);
        if (received === null)
          reject(new HopscopeError('HostDied', `The workbench's host has stopped: ${String(message)}`, 'failure'));
        else received.close();
      }
    }
    view.addEventListener('message', listen);
    // A page from a file has an opaque origin, which cannot be addressed; the message stays within this window either way.
    view.postMessage({ type: 'hopscope-ready' }, view.location.protocol.startsWith('http') ? view.location.origin : '*');
  });
}
