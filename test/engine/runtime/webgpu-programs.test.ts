/**
 * Every program of every family on the device: no operator is left to the CPU, and the numbers are the CPU's.
 * Programs are compiled once per family and run with made-up weights; whole runs are in parity/.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openCheckpoint } from '../../../src-main/engine/files/checkpoint.ts';
import { Graph } from '../../../src-main/engine/graph/graph.ts';
import { encodeOnnx } from '../../../src-main/engine/graph/onnx.ts';
import { families } from '../../../src-main/engine/models/index.ts';
import { outlineOf } from '../../../src-main/engine/models/model.ts';
import { DeviceMemory } from '../../../src-main/engine/runtime/device-memory.ts';
import { nodePlacement, Session } from '../../../src-main/engine/runtime/session.ts';
import { everyProgram, resultsOn } from './every-program.ts';
import { describeWebGpu, webgpu } from './webgpu-here.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/models');

function outlineIn(folder: string) {
  const checkpoint = openCheckpoint(join(fixtures, folder));
  try {
    return outlineOf(checkpoint);
  } finally {
    checkpoint.close();
  }
}

const typeOf = (folder: string): string =>
  (JSON.parse(readFileSync(join(fixtures, folder, 'config.json'), 'utf8')) as { model_type: string }).model_type;

/** One model per family that has any, and OLMo once more with clipping. */
const models = new Set([
  ...families.flatMap(({ modelTypes }) => readdirSync(fixtures).find((folder) => modelTypes.includes(typeOf(folder))) ?? []),
  'olmo-clip',
]);

/** Largest difference of an element, relative to the largest value of its result; float32 sums in another order. */
const tolerance = 1e-5;

describeWebGpu('programs', () => {
  // The device forgets its compiled kernels when the last program is released; its memory is one that never is
  beforeAll(() => DeviceMemory.of('webgpu'));

  test.each([...models])(
    "%s: every operator runs on the device, with the CPU's numbers",
    { timeout: 120_000 },
    async (folder) => {
      for (const [name, graph] of everyProgram(outlineIn(folder))) {
        // A program of which anything is left to the CPU does not compile
        const actual = await resultsOn('webgpu', graph);
        const expected = await resultsOn('cpu', graph);
        for (const [result, { data }] of expected) {
          const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          const gap = data.reduce((most, value, index) => Math.max(most, Math.abs(value - actual.get(result)!.data[index]!)), 0);
          expect(gap, `${folder}, ${name}, ${result}: largest value ${largest}`).toBeLessThanOrEqual(tolerance * largest + 1e-9);
        }
      }
    },
  );

  test('a profile of a training step names the device for every operator, and no copies', async () => {
    const placed = await nodePlacement(everyProgram(outlineIn('llama')).get('whole training')!, webgpu);
    expect(placed.length).toBeGreaterThan(300);
    expect(placed.filter(({ provider }) => provider !== 'WebGpuExecutionProvider')).toEqual([]);
    expect(placed.filter(({ operator }) => operator.startsWith('Memcpy'))).toEqual([]);
  });

  test('an operator that the device leaves to the CPU is refused by name', async () => {
    const graph = new Graph('whole numbers');
    const x = graph.input('x', [4], 'int64');
    graph.output('y', graph.apply('Gather', [graph.input('rows', [30, 2]), graph.add(x, x)]));
    await expect(Session.compile(graph, { ...webgpu, name: 'whole numbers' })).rejects.toMatchObject({
      code: 'OperatorNotOnDevice',
      message: expect.stringMatching(/"whole numbers" needs Add, which webgpu does not compute/),
    });
    // So would be what for-device.ts takes out of a head's way back
    const head = everyProgram(outlineIn('llama')).get('head training')!;
    await expect(Session.create(encodeOnnx(head), webgpu)).rejects.toThrow(/needs Reshape/);
  });
});
