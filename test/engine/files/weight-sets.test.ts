import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readHeader, writeSafetensors } from '../../../src-main/engine/files/safetensors.ts';
import {
  add,
  norms,
  part,
  readDelta,
  readWeights,
  subtract,
  type WeightSet,
  writeDelta,
} from '../../../src-main/engine/files/weight-sets.ts';
import { floatTensor } from '../../../src-main/engine/tensor.ts';
import { errorOf, temporaryFolder } from './scratch.ts';

const before: WeightSet = new Map([
  ['a', floatTensor([2], Float32Array.of(1, 2))],
  ['b', floatTensor([1, 2], Float32Array.of(3, 4))],
  ['c', floatTensor([], Float32Array.of(5))],
]);
const after: WeightSet = new Map([
  ['a', floatTensor([2], Float32Array.of(1.5, 2))],
  ['b', floatTensor([1, 2], Float32Array.of(3, 7))],
]);

describe('weight sets', () => {
  it('takes a delta apart and puts it back', () => {
    const delta = subtract(after, before);
    expect([...delta.tensors.get('a')!.data, ...delta.tensors.get('b')!.data]).toEqual([0.5, 0, 0, 3]);
    const whole = add(before, delta);
    expect([...whole.keys()]).toEqual(['a', 'b', 'c']);
    expect(whole.get('a')).toEqual(after.get('a'));
    expect(whole.get('b')).toEqual(after.get('b'));
    expect(whole.get('c')).toEqual(before.get('c'));
    for (const [name, { data }] of whole) expect(data.buffer).not.toBe(before.get(name)!.data.buffer);
    expect([...before.get('a')!.data]).toEqual([1, 2]);
    const half = add(before, part(delta, ['b']));
    expect(half.get('a')).toEqual(before.get('a'));
    expect(half.get('b')).toEqual(after.get('b'));
    expect(norms(delta)).toEqual(
      new Map([
        ['a', 0.5],
        ['b', 3],
      ]),
    );
    expect(add(before, [delta, delta]).get('b')!.data[1]).toBe(10);
  });

  it('names what does not fit', () => {
    const delta = subtract(after, before);
    expect(errorOf(() => part(delta, ['c']))).toMatch(/^MissingTensor: .*"c"/);
    expect(errorOf(() => subtract(before, after))).toMatch(/^MissingTensor: .*"c"/);
    const other: WeightSet = new Map([...before, ['b', floatTensor([2, 1], Float32Array.of(3, 4))]]);
    expect(errorOf(() => subtract(after, other))).toMatch(/^WrongShape: .*"b".*\[2,1\].*\[1,2\]/);
    expect(errorOf(() => add(other, delta))).toMatch(/^WrongShape: /);
    const moved = add(before, part(delta, ['a']));
    expect(errorOf(() => add(moved, delta))).toMatch(/^DeltaOfAnotherBase: .*"a"/);
    expect([...add(moved, delta, { onAnotherBase: true }).get('a')!.data]).toEqual([2, 2]);
    expect(add(moved, part(delta, ['b'])).get('b')).toEqual(after.get('b'));
  });

  it('keeps a delta and its base through a file', () => {
    const path = join(temporaryFolder(), 'delta.safetensors');
    const delta = subtract(after, before);
    writeDelta(path, delta);
    expect([...readHeader(path).tensors.keys()].sort()).toEqual(['a', 'b']);
    expect(readDelta(path)).toEqual(delta);
    expect(readWeights(path)).toEqual(delta.tensors);
    writeSafetensors(path, delta.tensors);
    expect(readDelta(path).baseHashes.size).toBe(0);
    expect(add(before, readDelta(path)).get('b')).toEqual(after.get('b'));
    writeSafetensors(path, new Map([['a', { type: 'int32', shape: [1], data: Int32Array.of(1) }]]));
    expect(errorOf(() => readDelta(path))).toMatch(/^UnsupportedDtype: .*"a" is I32/);
    writeFileSync(path, 'x');
    expect(errorOf(() => readDelta(path))).toMatch(/^BadSafetensors: /);
  });
});
