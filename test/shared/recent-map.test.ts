/** What stays in a map of the entries asked for last, and what it is told to let go of. */
import { expect, test } from 'vitest';
import { RecentMap } from '../../src-main/shared/recent-map.ts';

function recording(capacity: number) {
  const released: string[] = [];
  const made: string[] = [];
  const map = new RecentMap<string, string>(capacity, (value) => released.push(value));
  const get = (key: string, fits?: (value: string) => boolean) =>
    map.get(
      key,
      () => {
        made.push(key);
        return `${key}${made.length}`;
      },
      fits,
    );
  return { map, get, made, released };
}

test('what was asked for longest ago goes first', () => {
  const { map, get, made, released } = recording(2);
  expect([get('a'), get('b'), get('a'), get('c'), get('a')]).toEqual(['a1', 'b2', 'a1', 'c3', 'a1']);
  expect(released).toEqual(['b2']);
  expect(get('b')).toBe('b4');
  expect(made).toEqual(['a', 'b', 'c', 'b']);
  expect(released).toEqual(['b2', 'c3']);
  expect(map.size).toBe(2);
});

test('a value that no longer fits is made anew', () => {
  const { get, released } = recording(2);
  get('a');
  expect(get('a', (value) => value === 'a1')).toBe('a1');
  expect(get('a', () => false)).toBe('a2');
  expect(released).toEqual(['a1']);
});

test('a value that cannot be made leaves everything as it was', () => {
  const { map, get, released } = recording(1);
  get('a');
  expect(() =>
    map.get('b', () => {
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(get('a')).toBe('a1');
  expect(released).toEqual([]);
});

test('cleared, it lets go of all', () => {
  const { map, get, released } = recording(3);
  get('a');
  get('b');
  map.clear();
  expect(released).toEqual(['a1', 'b2']);
  expect(map.size).toBe(0);
});
