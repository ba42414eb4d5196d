/**
 * What is predicted before work begins comes true: peak memory within a quarter, time within a factor of 2, for models of three sizes.
 * Memory is the highest of a process of its own; time is the processor's on one thread, because other programs may be using the machine.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { byteLevelTokenizer } from '../../src-main/engine/files/byte-level-tokenizer.ts';
import { knownModels } from '../../src-main/engine/models/known-models.ts';
import { writeRandomModel } from '../../src-main/engine/models/random-model.ts';
import type { MeasuredRequest, MeasuredWork } from './measured-work.ts';

const run = promisify(execFile);

/** Blocks of the given width over a vocabulary of 8,000. */
const sizes = {
  small: { layers: 3, hidden: 256, intermediate: 704 },
  middle: { layers: 4, hidden: 512, intermediate: 1408 },
  large: { layers: 5, hidden: 1024, intermediate: 2816 },
} as const;
type Size = keyof typeof sizes;

const folders = {} as Record<Size, string>;
let parent = '';

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'hopscope-estimates-'));
  const known = knownModels['llama-3-8b'];
  const tokenizer = byteLevelTokenizer({ words: new Set(), specialTokens: [known.textToken], prefixed: known.textTokenFirst });
  for (const size of Object.keys(sizes) as Size[]) {
    const { layers, hidden, intermediate } = sizes[size];
    const shape = { hidden_size: hidden, intermediate_size: intermediate, vocab_size: 8000 };
    const config = { ...known.config, ...shape, num_attention_heads: 8, num_key_value_heads: 4 };
    folders[size] = join(parent, size);
    await writeRandomModel(folders[size], {
      model: { ...known, config },
      layers,
      type: 'bfloat16',
      seed: 0,
      tokenizer,
      signal: new AbortController().signal,
      onBytes() {},
    });
  }
}, 180_000);

afterAll(() => rm(parent, { recursive: true, force: true }));

async function measured(size: Size, request: Omit<MeasuredRequest, 'model'>): Promise<MeasuredWork> {
  const script = join(import.meta.dirname, 'measured-work.ts');
  const { stdout } = await run(process.execPath, [script, JSON.stringify({ ...request, model: folders[size] })]);
  return JSON.parse(stdout) as MeasuredWork;
}

function expectWithin(predicted: number, actual: number, factor: number, what: string): void {
  const ratio = predicted / actual;
  expect(ratio, `${what}: ${predicted} predicted, ${actual} measured`).toBeGreaterThan(1 / factor);
  expect(ratio, `${what}: ${predicted} predicted, ${actual} measured`).toBeLessThan(factor);
}

const kinds = ['forward', 'scores', 'train'] as const;

test.each((Object.keys(sizes) as Size[]).flatMap((size) => kinds.map((kind) => [size, kind] as const)))(
  '%s, %s in memory',
  async (size, kind) => {
    const result = await measured(size, { kind, batch: 8, positions: 16 });
    expect(result.residency).toBe('memory');
    expectWithin(result.predictedMemory, result.memory, 1.25, 'bytes of memory');
    expectWithin(result.predictedSeconds, result.seconds, 2, 'seconds');
  },
  60_000,
);

test.each([
  ['forward', 300],
  ['scores', 640],
] as const)(
  'large, %s with weights on disk',
  async (kind, mebibytes) => {
    const result = await measured('large', { kind, batch: 8, positions: 16, budget: mebibytes * 2 ** 20 });
    expect(result.residency).toBe('disk');
    expectWithin(result.predictedMemory, result.memory, 1.25, 'bytes of memory');
  },
  60_000,
);
