import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileTensor } from '../../../src-main/engine/files/file-tensor.ts';
import { readHeader, SafetensorsFile, writeSafetensors } from '../../../src-main/engine/files/safetensors.ts';
import { valuesOf } from '../../../src-main/engine/files/values.ts';
import {
  add,
  norms,
  part,
  readDelta,
  readWeights,
  subtract,
  tensorHash,
  writeDelta,
  writeWeights,
} from '../../../src-main/engine/files/weight-sets.ts';
import { type FloatTensor, floatTensor } from '../../../src-main/engine/tensor.ts';
import { inMemory, takeRows, type Weights } from '../../../src-main/engine/weights.ts';
import { errorOf, rejectionOf, temporaryFolder } from './scratch.ts';

const before: Map<string, FloatTensor> = new Map([
  ['a', floatTensor([2], Float32Array.of(1, 2))],
  ['b', floatTensor([1, 2], Float32Array.of(3, 4))],
  ['c', floatTensor([], Float32Array.of(5))],
]);
const after: Map<string, FloatTensor> = new Map([
  ['a', floatTensor([2], Float32Array.of(1.5, 2))],
  ['b', floatTensor([1, 2], Float32Array.of(3, 7))],
]);

describe('weight sets', () => {
  it('takes a delta apart and puts it back', async () => {
    const delta = subtract(after, before);
    const changes = inMemory(delta.tensors);
    expect([...changes.get('a')!.data, ...changes.get('b')!.data]).toEqual([0.5, 0, 0, 3]);
    const whole = inMemory(await add(before, delta));
    expect([...whole.keys()]).toEqual(['a', 'b', 'c']);
    expect(whole.get('a')).toEqual(after.get('a'));
    expect(whole.get('b')).toEqual(after.get('b'));
    expect(whole.get('c')).toBe(before.get('c'));
    expect([...before.get('a')!.data]).toEqual([1, 2]);
    const half = await add(before, part(delta, ['b']));
    expect(half.get('a')).toEqual(before.get('a'));
    expect(half.get('b')).toEqual(after.get('b'));
    expect(await norms(delta)).toEqual(
      new Map([
        ['a', 0.5],
        ['b', 3],
      ]),
    );
    expect(inMemory(await add(before, [delta, delta])).get('b')!.data[1]).toBe(10);
  });

  it('names what does not fit', async () => {
    const delta = subtract(after, before);
    expect(errorOf(() => part(delta, ['c']))).toMatch(/^MissingTensor: .*"c"/);
    expect(errorOf(() => subtract(before, after))).toMatch(/^MissingTensor: .*"c"/);
    const other: Map<string, FloatTensor> = new Map([...before, ['b', floatTensor([2, 1], Float32Array.of(3, 4))]]);
    expect(errorOf(() => subtract(after, other))).toMatch(/^WrongShape: .*"b".*\[2,1\].*\[1,2\]/);
    expect(await rejectionOf(() => add(other, delta))).toMatch(/^WrongShape: /);
    const moved = await add(before, part(delta, ['a']));
    expect(await rejectionOf(() => add(moved, delta))).toMatch(/^DeltaOfAnotherBase: .*"a"/);
    expect([...inMemory(await add(moved, delta, { onAnotherBase: true })).get('a')!.data]).toEqual([2, 2]);
    expect((await add(moved, part(delta, ['b']))).get('b')).toEqual(after.get('b'));
  });

  it('keeps a delta and its base through a file', async () => {
    const path = join(temporaryFolder(), 'delta.safetensors');
    const delta = subtract(after, before);
    await writeDelta(path, delta);
    expect([...readHeader(path).tensors.keys()].sort()).toEqual(['a', 'b']);
    const read = readDelta(path);
    expect(read.tensors).toEqual(delta.tensors);
    expect(read.bases.get('a')).toBe(await tensorHash(before.get('a')!));
    expect((await add(before, read)).get('b')).toEqual(after.get('b'));
    const moved = new Map([...before, ['a', floatTensor([2], Float32Array.of(1, 3))] as const]);
    expect(await rejectionOf(() => add(moved, read))).toMatch(/^DeltaOfAnotherBase: .*"a"/);
    expect(readWeights(path)).toEqual(delta.tensors);
    writeSafetensors(path, inMemory(delta.tensors));
    expect(readDelta(path).bases.size).toBe(0);
    expect((await add(before, readDelta(path))).get('b')).toEqual(after.get('b'));
    writeSafetensors(path, new Map([['a', { type: 'int32', shape: [1], data: Int32Array.of(1) }]]));
    expect(errorOf(() => readDelta(path))).toMatch(/^UnsupportedDtype: .*"a" is I32/);
    writeFileSync(path, 'x');
    expect(errorOf(() => readDelta(path))).toMatch(/^BadSafetensors: /);
  });

  it('gives the same where tensors are in files and formed when they are read', async () => {
    const [base, change] = ['base', 'delta'].map((name) => join(temporaryFolder(), `${name}.safetensors`)) as [string, string];
    writeSafetensors(base, before);
    await writeDelta(change, subtract(after, before));
    const delta = readDelta(change, 0);
    const file = SafetensorsFile.open(base);
    const stored: Weights = new Map([...before.keys()].map((name) => [name, new FileTensor(file, name)]));
    const sum = await add(stored, delta);
    expect([...sum.values()].map(({ type }) => type)).toEqual(['stored', 'stored', 'stored']);
    for (const [name, expected] of after) expect(await valuesOf(sum.get(name)!)).toEqual(expected);
    expect([...takeRows(sum.get('b')!, Int32Array.of(0, 0))]).toEqual([3, 7, 3, 7]);
    expect(await norms(subtract(sum, before))).toEqual(
      new Map([
        ['a', 0.5],
        ['b', 3],
        ['c', 0],
      ]),
    );
    expect(await tensorHash(stored.get('b')!)).toBe(await tensorHash(before.get('b')!));
    const whole = join(temporaryFolder(), 'whole.safetensors');
    await writeWeights(whole, sum);
    expect(readWeights(whole)).toEqual(new Map([...before, ...after]));
  });
});
