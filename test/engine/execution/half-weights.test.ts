/** Which weights a device may have as float16, and that those are the same numbers. */
import { describe, expect, test } from 'vitest';
import { halvesOf, toFloat16 } from '../../../src-main/engine/execution/half-weights.ts';
import { HalfTensor } from '../../../src-main/engine/files/half-tensor.ts';
import { widenPlainly } from '../../../src-main/engine/files/widening.ts';
import { forDevice } from '../../../src-main/engine/graph/for-device.ts';
import { Graph } from '../../../src-main/engine/graph/graph.ts';
import { floatTensor } from '../../../src-main/engine/tensor.ts';
import type { StoredTensor } from '../../../src-main/engine/weights.ts';

const widened = (type: 'bfloat16' | 'float16', bits: Uint16Array): Float32Array => {
  const values = new Float32Array(bits.length);
  widenPlainly(type, bits, values);
  return values;
};

test('every bfloat16 becomes the float16 of the same value, or is refused where there is none', () => {
  let exact = 0;
  for (let pattern = 0; pattern < 2 ** 16; pattern++) {
    const [value] = widened('bfloat16', Uint16Array.of(pattern));
    const bits = Uint16Array.of(pattern);
    const isExact = toFloat16(bits);
    // Float16Array rounds to the nearest
    const [nearest] = new Float16Array([value!]);
    expect(isExact, `${value}`).toBe(Number.isFinite(value) && Object.is(nearest, value));
    if (!isExact) continue;
    exact++;
    expect(Object.is(widened('float16', bits)[0], value), `${value}`).toBe(true);
  }
  expect(exact).toBeGreaterThan(2 * 30 * 128);
});

describe('a weight goes to the device in 16 bits', () => {
  const has = async () => true;
  const bits = Uint16Array.of(0x3f80, 0xc000, 0x3d4d, 0);
  const bfloat16 = (patterns = bits) => new HalfTensor('bfloat16', [2, 2], patterns);

  test('when its file has them and float16 expresses each', async () => {
    const halves = await halvesOf(bfloat16(), has);
    expect([halves!.type, halves!.shape]).toEqual(['float16', [2, 2]]);
    expect(widened('float16', halves!.data)).toEqual(widened('bfloat16', bits));
    const given = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff);
    expect((await halvesOf(new HalfTensor('float16', [4], given), has))!.data).toEqual(given);
  });

  test('not when a value is too small for float16, which is found out once', async () => {
    const tiny = bfloat16(Uint16Array.of(0x3f80, 0x3281, 0, 0));
    expect(await halvesOf(tiny, has)).toBeNull();
    tiny.fetch = async () => {
      throw new Error('read again');
    };
    expect(await halvesOf(tiny, has)).toBeNull();
  });

  test('not when it is in memory as float32, in training, or the device has no float16', async () => {
    const never = async (): Promise<boolean> => {
      throw new Error('asked');
    };
    expect(await halvesOf(floatTensor([2]), never)).toBeNull();
    expect(await halvesOf(bfloat16(), async () => false)).toBeNull();
    const trained = (storedType: 'float32' | 'bfloat16', generation?: number): StoredTensor => ({
      type: 'stored',
      shape: [1],
      storedType,
      ...(generation === undefined ? {} : { generation }),
      fetch: never as never,
      rows: never as never,
      slice: never as never,
    });
    expect(await halvesOf(trained('bfloat16', 0), never)).toBeNull();
    expect(await halvesOf(trained('float32'), never)).toBeNull();
  });

  test('and the program for it widens that input alone', () => {
    const graph = new Graph('product');
    graph.output('y', graph.gemm(graph.input('x', [1, 2]), graph.input('w', [2, 2]), false, true));
    const { inputs } = forDevice(graph, new Set(['w']));
    expect(inputs.map(({ name, type }) => [name, type])).toEqual([
      ['x', 'float32'],
      ['w', 'float16'],
    ]);
  });
});
