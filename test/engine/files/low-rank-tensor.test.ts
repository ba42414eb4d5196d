/** A matrix with a low-rank change in it: the same values however it is read, for both forms of matrices and whatever keeps the base. */
import { describe, expect, test } from 'vitest';
import { HalfTensor } from '../../../src-main/engine/files/half-tensor.ts';
import { type LowRankChange, LowRankTensor } from '../../../src-main/engine/files/low-rank-tensor.ts';
import { valuesOf } from '../../../src-main/engine/files/values.ts';
import { floatTensor } from '../../../src-main/engine/tensor.ts';
import { sliceRows, type WeightTensor } from '../../../src-main/engine/weights.ts';
import { Random } from '../../../src-main/shared/random.ts';

const [rows, columns] = [7, 11];
const draw = (count: number, random: Random) => Float32Array.from({ length: count }, () => random.next() - 0.5);

/** The change for a matrix [rows, columns], and its values from the definition. */
function changeOf(rank: number, inputFirst: boolean): { change: LowRankChange; dense: number[] } {
  const random = new Random(rank);
  const [input, output] = inputFirst ? [rows, columns] : [columns, rows];
  const [a, b] = [draw(rank * input, random), draw(output * rank, random)];
  const scale = 1.75;
  const dense = Array.from({ length: rows * columns }, (_, place) => {
    const [row, column] = [Math.floor(place / columns), place % columns];
    const [from, to] = inputFirst ? [row, column] : [column, row];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += b[to * rank + k]! * a[k * input + from]!;
    return scale * sum;
  });
  return { change: { rank, scale, a, b, inputFirst, generation: () => 0 }, dense };
}

const expectNear = (actual: ArrayLike<number>, expected: readonly number[]) => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, index) => {
    expect(Math.abs(actual[index]! - value), `element ${index}`).toBeLessThan(1e-6);
  });
};

describe.each([1, 3, 4, 6])('rank %i', (rank) => {
  test.each([false, true])('input first: %s', async (inputFirst) => {
    const { change, dense } = changeOf(rank, inputFirst);
    const values = draw(rows * columns, new Random('base'));
    const bits = Uint16Array.from(values, (value) => new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16);
    const bases: WeightTensor[] = [floatTensor([rows, columns], values), new HalfTensor('bfloat16', [rows, columns], bits)];
    for (const base of bases) {
      const before = [...(await valuesOf(base)).data];
      const expected = before.map((value, index) => value + dense[index]!);
      const tensor = new LowRankTensor(base, change);
      expectNear((await valuesOf(tensor)).data, expected);
      const rowsOf = (...taken: number[]) => taken.flatMap((row) => expected.slice(row * columns, (row + 1) * columns));
      expectNear(tensor.rows(Int32Array.of(5, 0, 5)), rowsOf(5, 0, 5));
      const stretch = sliceRows(sliceRows(tensor, 1, 5), 2, 3);
      expectNear((await valuesOf(stretch)).data, rowsOf(3, 4, 5));
      if (stretch.type === 'stored') expectNear(stretch.rows(Int32Array.of(2)), rowsOf(5));
      // One change on another
      const twice = new LowRankTensor(tensor, change);
      expectNear(
        (await valuesOf(twice)).data,
        expected.map((value, index) => value + dense[index]!),
      );
      expect([...(await valuesOf(base)).data], 'the base stays').toEqual(before);
    }
  });
});

test('what changes it grows its generation, through changes on top too', () => {
  let steps = 0;
  const { change } = changeOf(2, false);
  const lower = new LowRankTensor(floatTensor([rows, columns]), { ...change, generation: () => steps });
  const upper = new LowRankTensor(lower, change).slice(0, 2);
  const before = upper.generation;
  steps++;
  expect(lower.generation).toBe(1);
  expect(upper.generation).toBeGreaterThan(before);
});
