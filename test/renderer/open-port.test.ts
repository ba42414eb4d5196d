/** The way to the host: the token leaves the address, the port is taken whichever side is ready first. */
import { describe, expect, it, vi } from 'vitest';
import { followToken, openSocket, receivePort, takeToken } from '../../src-renderer/state/open-port.ts';
import { Theme } from '../../src-renderer/state/theme.svelte.ts';

function storage(): Pick<Storage, 'getItem' | 'setItem'> {
  const values = new Map<string, string>();
  return { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => void values.set(key, value) };
}

describe('takeToken', () => {
  it('moves the token from the address to the tab', () => {
    const replaceState = vi.fn();
    const sessionStorage = storage();
    const location = { hash: '#t=a%2Bb', pathname: '/', search: '' };
    expect(takeToken({ location, sessionStorage, history: { replaceState } } as unknown as Window)).toBe('a+b');
    expect(replaceState).toHaveBeenCalledWith(null, '', '/#/');
    expect(takeToken({ location: { hash: '#/runs' }, sessionStorage } as unknown as Window)).toBe('a+b');
    expect(takeToken({ location: { hash: '#/t=x' }, sessionStorage: storage() } as unknown as Window)).toBeNull();
  });
});

describe('followToken', () => {
  it('takes the token of an address that is put into the same tab, and stays on the screen', () => {
    const sessionStorage = storage();
    const replaceState = vi.fn();
    const location = { hash: '', pathname: '/', search: '' };
    const view = Object.assign(new EventTarget(), { location, sessionStorage, history: { replaceState } });
    const given = vi.fn();
    followToken(view as unknown as Window, given);
    const go = (hash: string, oldURL: string) => {
      location.hash = hash;
      view.dispatchEvent(Object.assign(new Event('hashchange'), { oldURL }));
    };
    go('#/runs', 'http://127.0.0.1:4000/#/');
    expect(given).not.toHaveBeenCalled();
    go('#t=new', 'http://127.0.0.1:4000/#/runs?state=failed');
    expect([given.mock.calls, replaceState.mock.calls]).toEqual([[['new']], [[null, '', '/#/runs?state=failed']]]);
    expect(sessionStorage.getItem('hopscope-token')).toBe('new');
    go('#t=newer', 'http://127.0.0.1:4000/');
    expect(replaceState).toHaveBeenLastCalledWith(null, '', '/#/');
  });
});

describe('openSocket', () => {
  it.each([
    ['the server is there', () => Promise.resolve({ ok: true }), 'AddressChanged'],
    ['nothing is there', () => Promise.reject(new TypeError('Failed to fetch')), 'Unreachable'],
  ])('that is refused says why: %s', async (_, fetch, code) => {
    class RefusedSocket extends EventTarget {
      binaryType = '';
      readyState = 3;
      constructor() {
        super();
        queueMicrotask(() => this.dispatchEvent(new Event('close')));
      }
      close(): void {}
    }
    vi.stubGlobal('WebSocket', RefusedSocket);
    const view = { location: { protocol: 'http:', host: '127.0.0.1:4000', pathname: '/' }, fetch };
    await expect(openSocket(view as unknown as Window, 'old')).rejects.toMatchObject({ code });
    vi.unstubAllGlobals();
  });
});

describe('receivePort', () => {
  function page(protocol: string) {
    const target = new EventTarget();
    const posted: [unknown, string][] = [];
    const view = Object.assign(target, {
      location: { protocol, origin: protocol === 'file:' ? 'file://' : 'http://localhost:5173' },
      setTimeout: () => 1,
      clearTimeout: vi.fn(),
      postMessage: (message: unknown, origin: string) => posted.push([message, origin]),
    });
    const send = (data: unknown, ports: MessagePort[], source: unknown = view) =>
      target.dispatchEvent(Object.assign(new Event('message'), { data, ports, source }));
    return { view: view as unknown as Window, posted, send };
  }

  it('says that it is ready, then takes the port and nothing else', async () => {
    const { view, posted, send } = page('file:');
    const { port1 } = new MessageChannel();
    const received = receivePort(view);
    expect(posted).toEqual([[{ type: 'hopscope-ready' }, '*']]);
    send({ type: 'hopscope-port' }, []);
    send({ type: 'hopscope-port' }, [port1], {});
    send({ type: 'something' }, [port1]);
    expect(view.clearTimeout).not.toHaveBeenCalled();
    send({ type: 'hopscope-port' }, [port1]);
    const port = await received;
    expect(view.clearTimeout).toHaveBeenCalled();
    const closed = vi.fn();
    port.onClose(closed);
    expect(closed).not.toHaveBeenCalled();
    send({ type: 'hopscope-closed', message: 'it died' }, []);
    expect(closed).toHaveBeenCalledOnce();
  });

  it('says why there is no host', async () => {
    const { view, send } = page('app:');
    const received = receivePort(view);
    send({ type: 'hopscope-closed', message: 'the disk is full' }, []);
    await expect(received).rejects.toMatchObject({ code: 'HostDied', message: expect.stringContaining('the disk is full') });
  });

  it('addresses its own origin where there is one', () => {
    const { view, posted } = page('http:');
    void receivePort(view);
    expect(posted[0]?.[1]).toBe('http://localhost:5173');
  });
});

describe('Theme', () => {
  it('follows the system until the user chooses, and remembers the choice', () => {
    const localStorage = storage();
    const dataset: { theme?: string; contrast?: string } = {};
    const changes = new Map<string, (event: { matches: boolean }) => void>();
    const change = (preference: string, matches: boolean) => changes.get(preference)!({ matches });
    const view = {
      localStorage,
      document: { documentElement: { dataset } },
      matchMedia: (query: string) => ({
        matches: query.includes('dark'),
        addEventListener: (_: string, listener: (event: { matches: boolean }) => void) => changes.set(query, listener),
      }),
    } as unknown as Window;
    const theme = new Theme(view);
    expect([theme.choice, dataset.theme]).toEqual(['system', 'dark']);
    const dark = '(prefers-color-scheme: dark)';
    change(dark, false);
    expect(dataset.theme).toBe('light');
    theme.choose('dark');
    change(dark, false);
    expect([theme.shown, dataset.theme]).toEqual(['dark', 'dark']);
    expect(dataset.contrast).toBe('standard');
    change('(prefers-contrast: more)', true);
    expect(dataset.contrast).toBe('more');
    theme.chooseContrast('standard');
    expect(dataset.contrast).toBe('standard');
    expect(new Theme(view).choice).toBe('dark');
  });
});
