/**
 * Which Node the host runs under, what environment it gets, and what opens a browser.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { browserCommand, openBrowser } from '../../src-main/shell/browser.ts';
import { childEnvironment, externalNode } from '../../src-main/shell/child-node.ts';

const project = join(import.meta.dirname, '..', '..');

test('a Node of 22 or later runs the host itself; an older one leaves it to another; the user may choose', () => {
  expect(externalNode(project, {}, '24.9.0')).toBeNull();
  expect(externalNode(project, {}, '22.12.0')).toBeNull();
  expect(externalNode(project, {}, '16.17.1')).toContain(join('node_modules', 'node'));
  expect(externalNode('/nowhere', {}, '16.17.1')).toBe('node');
  expect(externalNode(project, { HOPSCOPE_NODE: '/opt/node' }, '24.9.0')).toBe('/opt/node');
});

test('children do not inherit what changes how they load or connect', () => {
  const given = {
    PATH: '/bin',
    HOPSCOPE_DATA: '/data',
    VK_DRIVER_FILES: '/icd.json',
    NODE_OPTIONS: '--require x',
    LD_PRELOAD: 'x.so',
    ORT_LOGGING_LEVEL: '0',
    https_proxy: 'http://x',
    HTTP_PROXY: 'http://x',
    UNSET: undefined,
  };
  expect(childEnvironment(given)).toEqual({ PATH: '/bin', HOPSCOPE_DATA: '/data', VK_DRIVER_FILES: '/icd.json' });
});

test('each platform has its command for a browser', () => {
  expect(browserCommand('http://127.0.0.1:1/#t=x', 'linux')).toEqual(['xdg-open', ['http://127.0.0.1:1/#t=x']]);
  expect(browserCommand('http://127.0.0.1:1/#t=x', 'darwin')).toEqual(['open', ['http://127.0.0.1:1/#t=x']]);
  expect(browserCommand('http://127.0.0.1:1/#t=x', 'win32')[0]).toBe('cmd');
});

test.each(['https://example.com/', 'file:///etc/passwd', 'http://127.0.0.1:1/"&calc', 'http://127.0.0.1.evil.com:1/'])(
  '%s is not opened',
  async (address) => {
    expect(await openBrowser(address)).toBe(false);
  },
);
