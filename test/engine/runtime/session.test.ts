/**
 * Sessions, with results written in place and with results copied: right values, any buffer, named errors, repeatable, no growth.
 * What operators compute is tested with the graphs.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Graph } from '../../../src-main/engine/graph/graph.ts';
import { encodeOnnx } from '../../../src-main/engine/graph/onnx.ts';
import { Arena } from '../../../src-main/engine/runtime/memory.ts';
import { Session, writesInPlace } from '../../../src-main/engine/runtime/session.ts';
import { type FloatTensor, floatTensor, type Tensor } from '../../../src-main/engine/tensor.ts';
import { runScores, scoresProgram, wave } from './programs.ts';

const cpu = { device: 'cpu', threads: 1 } as const;

// The suite may be run with the variable set; these tests set it themselves.
const around = process.env.HOPSCOPE_PLAIN_OUTPUTS ?? '0';
beforeEach(() => {
  process.env.HOPSCOPE_PLAIN_OUTPUTS = '0';
});
afterEach(() => {
  process.env.HOPSCOPE_PLAIN_OUTPUTS = around;
});

test('this build of the binding lets copies be avoided', async () => {
  expect(await writesInPlace()).toBe(true);
  process.env.HOPSCOPE_PLAIN_OUTPUTS = '1';
  expect(await writesInPlace()).toBe(false);
});

describe.each(['in place', 'copied'])('results %s', (mode) => {
  beforeEach(() => {
    if (mode === 'copied') process.env.HOPSCOPE_PLAIN_OUTPUTS = '1';
  });

  test('writes the results asked for into memory of an arena, and nothing beside them', async () => {
    const session = await Session.create(scoresProgram(7, 65, 33), cpu);
    expect([session.inputs, session.outputs]).toEqual([
      ['x', 'w'],
      ['y', 'total', 'doubled'],
    ]);
    const arena = new Arena(65536);
    const place = (shape: number[], values?: FloatTensor): FloatTensor => {
      const data = arena.floats(shape.reduce((a, b) => a * b, 1) + 16).subarray(0, -16);
      data.set(values?.data ?? data.map(() => -9));
      return { type: 'float32', shape, data };
    };
    const x = place([7, 65], wave([7, 65], 0.7));
    const w = place([33, 65], wave([33, 65], 1.3));
    const y = place([7, 33]);
    const total = place([33]);
    const doubled = place([7, 65]);
    session.run({ x, w }, { total, y });
    expect(doubled.data.every((value) => value === -9)).toBe(true);
    session.run({ x, w }, { doubled });
    expect([...doubled.data]).toEqual([...x.data].map((value) => value * 2));
    for (let row = 0; row < 7; row++) {
      const logits = Array.from({ length: 33 }, (_, column) => {
        let sum = 0;
        for (let k = 0; k < 65; k++) sum += x.data[row * 65 + k]! * w.data[column * 65 + k]!;
        return Math.exp(sum);
      });
      const sum = logits.reduce((a, b) => a + b, 0);
      logits.forEach((logit, column) => {
        expect(y.data[row * 33 + column]).toBeCloseTo(logit / sum, 5);
      });
    }
    total.data.forEach((value, column) => {
      let sum = 0;
      for (let row = 0; row < 7; row++) sum += y.data[row * 33 + column]!;
      expect(value).toBeCloseTo(sum, 5);
    });
    for (const tensor of [x, w, y, total, doubled]) {
      const after = new Float32Array(tensor.data.buffer, tensor.data.byteOffset + tensor.data.byteLength, 16);
      expect(after.every((value) => value === 0)).toBe(true);
    }
    session.release();
  });

  test('takes and gives every element type', async () => {
    const types: Tensor[] = [
      { type: 'float32', shape: [3], data: Float32Array.of(1, -2, 0.5) },
      { type: 'float16', shape: [3], data: Uint16Array.of(0x3c00, 0xc000, 0x0001) },
      { type: 'int64', shape: [2], data: BigInt64Array.of(-(2n ** 40n), 5n) },
      { type: 'int32', shape: [3], data: Int32Array.of(-1, 2, 2 ** 30) },
      { type: 'bool', shape: [4], data: Uint8Array.of(1, 0, 0, 1) },
      { type: 'uint8', shape: [2], data: Uint8Array.of(0, 255) },
      { type: 'float32', shape: [], data: Float32Array.of(7) },
    ];
    for (const x of types) {
      const graph = new Graph(`identity of ${x.type}`);
      graph.output('y', graph.input('x', x.shape, x.type));
      const session = await Session.create(encodeOnnx(graph), cpu);
      const y = { ...x, data: x.type === 'int64' ? new BigInt64Array(2) : x.data.slice().fill(0 as never) } as Tensor;
      session.run({ x }, { y });
      expect(y.data).toEqual(x.data);
      session.release();
    }
  });

  test('gives every result its own buffer where the runtime would share one', async () => {
    const graph = new Graph('aliases');
    const x = graph.input('x', [4, 6]);
    const negated = graph.negate(x);
    const results: Record<string, [shape: number[], sign: number]> = {};
    const output = (name: string, value: typeof x, sign: number) => {
      graph.output(name, value);
      results[name] = [[...value.shape], sign];
    };
    output('negated', negated, -1);
    output('again', negated, -1);
    output('identity', graph.apply('Identity', [negated]), -1);
    output('flat', graph.reshape(negated, [24]), -1);
    output('input', x, 1);
    output('flat input', graph.reshape(x, [3, 8]), 1);
    output('twice negated', graph.negate(negated), 1);
    const session = await Session.create(encodeOnnx(graph), cpu);
    const values = wave([4, 6], 1.1);
    for (const names of [Object.keys(results), ...Object.keys(results).map((name) => [name])]) {
      const tensors = Object.fromEntries(names.map((name) => [name, floatTensor(results[name]![0])]));
      session.run({ x: values }, tensors);
      for (const name of names) {
        expect([...tensors[name]!.data], name).toEqual([...values.data].map((value) => results[name]![1] * value));
      }
    }
    session.release();
  });

  test('names what is wrong with a run and goes on afterwards', async () => {
    const session = await Session.create(scoresProgram(7, 65, 33), { ...cpu, name: 'scores' });
    const x = wave([7, 65], 0.7);
    const w = wave([33, 65], 1.3);
    const y = floatTensor([7, 33]);
    const failures: [feeds: Record<string, Tensor>, results: Record<string, Tensor>, message: RegExp][] = [
      [{ x }, { y }, /"scores" cannot run: the input w is not fed/],
      [{ x, w, z: x }, { y }, /no input z; it has x, w/],
      [{ x, w }, { z: y }, /no output z; it has y, total, doubled/],
      [{ x: w, w }, { y }, /the input x is float32\[7, 65\], not float32\[33, 65\] with 2145 elements/],
      [{ x, w }, { y: floatTensor([33, 7]) }, /the output y is float32\[7, 33\], not float32\[33, 7\]/],
      [
        { x, w },
        { y: { ...y, data: new Float32Array(5) } },
        /the output y is float32\[7, 33\], not float32\[7, 33\] with 5 elements/,
      ],
      [
        { x: { type: 'int32', shape: [7, 65], data: new Int32Array(455) }, w },
        { y },
        /the input x is float32\[7, 65\], not int32/,
      ],
      [{ x, w }, {}, /no result is asked for/],
    ];
    for (const [feeds, results, message] of failures) {
      expect(() => session.run(feeds, results)).toThrow(
        expect.objectContaining({ code: 'RuntimeFailed', message: expect.stringMatching(message) }),
      );
      session.run({ x, w }, { y });
    }
    session.release();
    session.release();
    expect(() => session.run({ x, w }, { y })).toThrow(/has been released/);
    await expect(Session.create(Uint8Array.of(1, 2, 3), { ...cpu, name: 'junk' })).rejects.toThrow(
      /"junk" could not be loaded on cpu: .*/,
    );
  });

  test('an operator that fails while running is named', async () => {
    const graph = new Graph('gather');
    graph.output('y', graph.apply('Gather', [graph.input('x', [3, 2]), graph.input('rows', [1], 'int64')]));
    const session = await Session.create(encodeOnnx(graph), { ...cpu, name: 'gather' });
    const rows: Tensor = { type: 'int64', shape: [1], data: BigInt64Array.of(99n) };
    expect(() => session.run({ x: floatTensor([3, 2]), rows }, { y: floatTensor([1, 2]) })).toThrow(
      /The program "gather" failed: .*Gather/s,
    );
    session.release();
  });

  test('gives the same bits every time, in two sessions at once and in a worker', async () => {
    const expected = await runScores(1, 2);
    const [again, beside, ...workers] = await Promise.all([runScores(20, 2), runScores(20, 2), inWorker(20, 2), inWorker(20, 2)]);
    for (const values of [again, beside, ...workers]) expect(values).toEqual(expected);
  });
});

test('2000 runs with 1 MB of results do not make the process grow', async () => {
  const graph = new Graph('large');
  const x = floatTensor([1 << 18]);
  graph.output('y', graph.negate(graph.input('x', x.shape)));
  const session = await Session.create(encodeOnnx(graph), cpu);
  const y = floatTensor(x.shape);
  for (let run = 0; run < 200; run++) session.run({ x }, { y });
  const before = process.memoryUsage().rss;
  for (let run = 0; run < 2000; run++) session.run({ x }, { y });
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(30);
  session.release();
});

/** The scores from a worker thread, which exits afterwards. */
async function inWorker(runs: number, threads: number): Promise<number[]> {
  const worker = new Worker(join(import.meta.dirname, 'programs.ts'));
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.postMessage({ scores: { runs, threads } });
    });
  } finally {
    await worker.terminate();
  }
}
