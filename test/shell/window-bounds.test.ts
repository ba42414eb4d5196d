/**
 * A window comes back where it was, and never where nobody could reach it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBounds, writeBounds } from '../../src-main/shell/window-bounds.ts';

const screens = [
  { x: 0, y: 0, width: 1920, height: 1080 },
  { x: 1920, y: 0, width: 1280, height: 1024 },
];
let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hopscope-bounds-'));
  file = join(folder, 'window', 'bounds.json');
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the first time it has a size and no place', () => {
  expect(readBounds(file, screens)).toEqual({ width: 1280, height: 860, maximized: false });
});

test('what was written is read back, on the second screen too', () => {
  for (const bounds of [
    { x: 10, y: 20, width: 1100, height: 800, maximized: false },
    { x: 2000, y: 20, width: 1100, height: 800, maximized: true },
    { x: -900, y: 20, width: 1100, height: 800, maximized: false },
  ]) {
    writeBounds(file, bounds);
    expect(readBounds(file, screens)).toEqual(bounds);
  }
});

test.each([
  ['left of every screen', -1050, 20],
  ['right of every screen', 3150, 20],
  ['below', 100, 1060],
  ['its title bar above', 100, -20],
])('%s it keeps its size only', (_name, x, y) => {
  writeBounds(file, { x, y, width: 1100, height: 800, maximized: false });
  expect(readBounds(file, screens)).toEqual({ width: 1100, height: 800, maximized: false });
});

test('too small a size becomes the smallest', () => {
  writeBounds(file, { width: 10, height: 10, maximized: false });
  expect(readBounds(file, screens)).toEqual({ width: 1024, height: 700, maximized: false });
});

test.each(['', 'null', '[]', '{"width": "wide"}', '{"width": 1e99, "height": 1}', '{"width": -5, "height": 5}', '{"width'])(
  'a file with %j is as good as none',
  (text) => {
    writeFileSync(file, text);
    expect(readBounds(file, screens)).toEqual({ width: 1280, height: 860, maximized: false });
  },
);

test('a folder that cannot be written throws nothing', () => {
  expect(() =>
    writeBounds(join(file, 'below-a-file', 'bounds.json'), { width: 1100, height: 800, maximized: false }),
  ).not.toThrow();
});
