/**
 * What the window may load, save and be asked by, decided without Electron; test/e2e reads the effect back from a running one.
 */
import { expect, test } from 'vitest';
import { menuTemplate } from '../../src-main/shell/menu.ts';
import { contentSecurityPolicy } from '../../src-main/shell/security.ts';
import {
  answerScheme,
  downloadAllowed,
  fromOwnPage,
  navigationAllowed,
  permissionAllowed,
  requestAllowed,
  webPreferences,
} from '../../src-main/shell/window-policy.ts';

const files = new Map([
  ['/', { body: Buffer.from('shell'), type: 'text/html; charset=utf-8' }],
  ['/assets/index.js', { body: Buffer.from('script'), type: 'text/javascript; charset=utf-8' }],
]);

test('web preferences keep the page away from Node and from the network', () => {
  expect(webPreferences('/preload.cjs', true)).toEqual({
    preload: '/preload.cjs',
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
    spellcheck: false,
    safeDialogs: true,
    devTools: false,
  });
  expect(webPreferences('/preload.cjs', false).devTools).toBe(true);
});

test.each([
  ['app://bundle/', true],
  ['blob:app://bundle/1', true],
  ['data:,', true],
  ['devtools://devtools/bundled/x.js', true],
  ['https://example.com/', false],
  ['http://127.0.0.1/', false],
  ['ws://127.0.0.1/', false],
  ['file:///etc/passwd', false],
  ['chrome-extension://x/', false],
  ['application:x', false],
  ['', false],
])('request for %s: %s', (address, allowed) => {
  expect(requestAllowed(address)).toBe(allowed);
});

test('the scheme answers for built files by exact string, with the policy on every answer', () => {
  expect(answerScheme('app://bundle/', files)).toMatchObject({ status: 200, body: Buffer.from('shell') });
  expect(answerScheme('app://bundle/#/runs/1', files).status).toBe(200);
  expect(answerScheme('app://bundle/assets/index.js', files).headers['Content-Type']).toBe('text/javascript; charset=utf-8');
  for (const address of [
    'app://bundle',
    'app://bundle/missing',
    'app://bundle/?x',
    'app://bundle/assets/../',
    'app://bundle/%2e%2e/main/main.cjs',
    'app://bundle//',
    'app://other/',
    'app://bundle.evil/',
    'app:///',
    'file:///',
  ]) {
    const answer = answerScheme(address, files);
    expect(answer.status, address).toBe(404);
    expect(answer.headers['Content-Security-Policy']).toBe(contentSecurityPolicy());
    expect(answer.headers['X-Content-Type-Options']).toBe('nosniff');
  }
});

test('only the own page is heard: its top frame, at its own origin', () => {
  const page = { origin: 'app://bundle' };
  expect(fromOwnPage({ sender: { mainFrame: page }, senderFrame: page })).toBe(true);
  expect(fromOwnPage({ sender: { mainFrame: page }, senderFrame: null })).toBe(false);
  expect(fromOwnPage({ sender: { mainFrame: page }, senderFrame: { origin: 'app://bundle' } })).toBe(false);
  for (const origin of ['', 'null', 'about:blank', 'app://other', 'https://bundle', 'app://bundle.evil']) {
    const other = { origin };
    expect(fromOwnPage({ sender: { mainFrame: other }, senderFrame: other })).toBe(false);
  }
});

test('it may reload its page, and go nowhere else', () => {
  expect(navigationAllowed('app://bundle/')).toBe(true);
  expect(navigationAllowed('app://bundle/#/runs/1')).toBe(true);
  for (const address of [
    'app://bundle/assets/index.js',
    'app://bundle',
    'https://example.com/#app://bundle/',
    'data:text/html,x',
    'about:blank',
    '',
  ]) {
    expect(navigationAllowed(address)).toBe(false);
  }
});

test('it may copy to the clipboard and save what it made, and nothing else', () => {
  expect(permissionAllowed('clipboard-sanitized-write')).toBe(true);
  for (const permission of ['clipboard-read', 'media', 'geolocation', 'notifications', 'openExternal', 'fileSystem', '']) {
    expect(permissionAllowed(permission)).toBe(false);
  }
  expect(downloadAllowed('blob:app://bundle/0-1')).toBe(true);
  for (const address of [
    'https://example.com/x.exe',
    'app://bundle/assets/index.js',
    'data:text/plain,x',
    'blob:https://example.com/1',
  ]) {
    expect(downloadAllowed(address)).toBe(false);
  }
});

test('the menu has developer tools only where the window has them', () => {
  const roles = (packaged: boolean, platform: string) =>
    menuTemplate(platform, packaged, () => {}).flatMap((entry) => [entry.role, ...(entry.submenu ?? []).map(({ role }) => role)]);
  expect(roles(true, 'linux')).not.toContain('toggleDevTools');
  expect(roles(false, 'linux')).toContain('toggleDevTools');
  expect(roles(true, 'linux')).toContain('quit');
  expect(roles(true, 'darwin')[0]).toBe('appMenu');
});
