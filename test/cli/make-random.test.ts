/** Random models of true dimensions: the table against published counts, files that really open, and nothing left after a stop. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { firstHop, secondHop } from '../../src-main/datasets/public-facts.ts';
import { openCheckpoint } from '../../src-main/engine/files/checkpoint.ts';
import { requireDiskSpace } from '../../src-main/engine/files/disk-space.ts';
import { buildHeader, tensorBytes } from '../../src-main/engine/files/safetensors-header.ts';
import { Tokenizer } from '../../src-main/engine/files/tokenizer.ts';
import { type KnownModelName, knownModels } from '../../src-main/engine/models/known-models.ts';
import { openModel } from '../../src-main/engine/models/model.ts';
import { randomModelConfig, randomModelEntries, writeRandomModel } from '../../src-main/engine/models/random-model.ts';
import { elementCount } from '../../src-main/engine/tensor.ts';
import { candidatesOf } from '../../src-main/scores/rank.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { entry, refuse, succeed, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const models = Object.entries(knownModels) as [KnownModelName, (typeof knownModels)[KnownModelName]][];
const small = join(folder, 'small');
/** One layer of the smallest model, written through the command line; the other tests read it. */
const written = succeed(['make-random', '--like', 'smollm2-135m', '--layers', '1', '--out', small]);

const contents = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('dimensions', () => {
  test.each(models)('%s has as many parameters as published', (_name, model) => {
    const entries = randomModelEntries(model, Number(model.config.num_hidden_layers), 'bfloat16');
    expect(entries.reduce((sum, { shape }) => sum + elementCount(shape), 0)).toBe(model.parameters);
  });

  // Files with true headers and holes for data: no bytes on the disk, all checks of opening a model
  test.each(models)('%s opens at full depth', async (name, model) => {
    await written;
    const layers = Number(model.config.num_hidden_layers);
    const hollow = join(folder, `hollow-${name}`);
    mkdirSync(hollow);
    writeFileSync(join(hollow, 'config.json'), JSON.stringify(randomModelConfig(model, layers, 'bfloat16')));
    writeFileSync(join(hollow, 'tokenizer.json'), readFileSync(join(small, 'tokenizer.json')));
    const entries = randomModelEntries(model, layers, 'bfloat16').map(({ name, type, shape }) => ({
      name,
      type,
      shape,
      byteLength: tensorBytes(type, shape),
    }));
    const header = buildHeader(
      entries.map(({ name, ...rest }) => [name, rest]),
      {},
    );
    const prefix = new Uint8Array(8);
    new DataView(prefix.buffer).setBigUint64(0, BigInt(header.length), true);
    const path = join(hollow, 'model.safetensors');
    writeFileSync(path, Buffer.concat([prefix, header]));
    truncateSync(path, 8 + header.length + entries.reduce((sum, { byteLength }) => sum + byteLength, 0));
    const opened = await openModel(hollow);
    try {
      expect(opened.warnings).toEqual([]);
      expect(opened.parameters.count).toBe(model.parameters);
      expect(opened.checkpoint.dtype).toBe('bfloat16');
      const windows = opened.configuration.slidingWindows.map((window) => window !== null);
      const slides = model.config.model_type === 'gemma2';
      expect(windows).toEqual(Array.from({ length: layers }, (_, layer) => slides && layer % 2 === 0));
    } finally {
      opened.checkpoint.close();
    }
  });
});

describe('a small one', () => {
  test('opens, and its values are those promised', async () => {
    expect(await written).toMatchObject({ like: 'smollm2-135m', layers: 1, dtype: 'bfloat16', seed: 0, parameters: 31_852_224 });
    expect(readdirSync(small).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    const published = knownModels['smollm2-135m'].config;
    const config = JSON.parse(readFileSync(join(small, 'config.json'), 'utf8')) as object;
    expect(config).toEqual({ ...published, num_hidden_layers: 1 });
    const opened = await openModel(small);
    expect(opened.warnings).toEqual([]);
    expect(opened.configuration).toMatchObject({ layers: 1, hidden: 576, intermediate: 1536, heads: 9, keyValueHeads: 3 });
    const values = new Float32Array(49_152 * 576);
    opened.checkpoint.readFloat32Into('model.embed_tokens.weight', values);
    let [sum, squares, fourth, beyond] = [0, 0, 0, 0];
    for (const value of values) {
      const z = value / 0.02;
      sum += z;
      squares += z * z;
      fourth += z ** 4;
      if (Math.abs(z) > 2) beyond++;
    }
    // 28 million draws: the deviation of the mean is 2e-4, that of the variance 3e-4, of the fourth moment 2e-3
    expect(Math.abs(sum / values.length)).toBeLessThan(1e-3);
    expect(Math.abs(squares / values.length - 1)).toBeLessThan(2e-3);
    expect(Math.abs(fourth / values.length - 3)).toBeLessThan(2e-2);
    expect(Math.abs(beyond / values.length - 0.0455)).toBeLessThan(1e-3);
    const gain = new Float32Array(576);
    opened.checkpoint.readFloat32Into('model.norm.weight', gain);
    expect(new Set(gain)).toEqual(new Set([1]));
    opened.checkpoint.close();
  });

  test('the same seed gives the same bytes, another seed others', async () => {
    const again = join(folder, 'again');
    const other = join(folder, 'other');
    const parameters = ['make-random', '--like', 'smollm2-135m', '--layers', '1'];
    await Promise.all([
      written,
      succeed([...parameters, '--out', again]),
      succeed([...parameters, '--seed', '1', '--out', other]),
    ]);
    for (const name of readdirSync(small)) expect(contents(join(again, name)), name).toBe(contents(join(small, name)));
    expect(contents(join(other, 'model.safetensors'))).not.toBe(contents(join(small, 'model.safetensors')));
  });

  test('options of the built-in data sets differ in their first tokens', async () => {
    await written;
    const tokenizer = Tokenizer.open(small);
    for (const { options, train, test } of [firstHop(), secondHop()]) {
      for (const list of [options.train, options.test]) {
        expect(new Set(candidatesOf(tokenizer, list).tokens).size).toBe(list.length);
      }
      for (const text of [...train, ...test].map((pair) => pair.join(' '))) {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }
    }
    expect(tokenizer.encode(' lives in Amsterdam')).toHaveLength(3);
  });
});

describe('written without the command line', () => {
  /** True layers of a made-up model of 100 KiB. */
  const tiny = (changes: object = {}) => ({
    ...knownModels['gemma-2-2b'],
    config: {
      ...knownModels['gemma-2-2b'].config,
      hidden_size: 32,
      intermediate_size: 64,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      head_dim: 16,
      vocab_size: 2048,
      ...changes,
    },
  });
  const request = (type: 'bfloat16' | 'float16' | 'float32', layers = 3) => ({
    model: tiny(),
    layers,
    type,
    seed: 5,
    tokenizer: readFileSync(join(small, 'tokenizer.json'), 'utf8'),
    signal: new AbortController().signal,
    onBytes: () => undefined,
  });

  test.each(['bfloat16', 'float16', 'float32'] as const)('%s holds, with the same values up to rounding', async (type) => {
    await written;
    const out = join(folder, `tiny-${type}`);
    const bytes = await writeRandomModel(out, request(type));
    const checkpoint = openCheckpoint(out);
    expect(new Set([...checkpoint.tensors.values()].map((info) => info.type))).toEqual(new Set([type]));
    expect(checkpoint.config.torch_dtype).toBe(type);
    expect(bytes).toBe([...checkpoint.tensors.values()].reduce((sum, { start, end }) => sum + end - start, 0));
    const name = 'model.layers.2.mlp.down_proj.weight';
    const values = new Float32Array(32 * 64);
    checkpoint.readFloat32Into(name, values);
    const exact = join(folder, `tiny-exact-${type}`);
    await writeRandomModel(exact, request('float32', 4));
    const full = openCheckpoint(exact);
    const expected = new Float32Array(values.length);
    full.readFloat32Into(name, expected);
    const precision = { bfloat16: 2 ** -8, float16: 2 ** -11, float32: 0 }[type];
    for (const [index, value] of expected.entries()) {
      // Below 2^-14 a float16 is subnormal, in steps of 2^-24
      const allowed = Math.max(precision * Math.abs(value), type === 'float16' ? 2 ** -25 : 0);
      expect(Math.abs(values[index]! - value)).toBeLessThanOrEqual(allowed);
    }
    // Gains of 1 + w
    const gain = new Float32Array(32).fill(1);
    checkpoint.readFloat32Into('model.layers.0.input_layernorm.weight', gain);
    expect(new Set(gain)).toEqual(new Set([0]));
    checkpoint.close();
    full.close();
  });

  test('a stop leaves nothing', async () => {
    await written;
    const parent = join(folder, 'stopped');
    mkdirSync(parent);
    const controller = new AbortController();
    const reason = new HopscopeError('Interrupted', 'Stopped on request.', 'interrupted');
    const stopped = writeRandomModel(join(parent, 'model'), {
      ...request('float32'),
      signal: controller.signal,
      onBytes(done, total) {
        expect(readdirSync(parent)).toHaveLength(1);
        if (done > total / 2) controller.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    expect(readdirSync(parent)).toEqual([]);
  });
});

test('Ctrl-C stops with 130 and leaves nothing', async () => {
  const parent = join(folder, 'interrupted');
  mkdirSync(parent);
  const parameters = ['make-random', '--like', 'olmo-1b', '--layers', '16', '--dtype', 'float32', '--out', join(parent, 'model')];
  const child = spawn(process.execPath, [entry, ...parameters], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const begun = () =>
    readdirSync(parent, { recursive: true }).some((name) => {
      const path = join(parent, String(name));
      return existsSync(path) && statSync(path).size > 2 ** 20;
    });
  while (child.exitCode === null && !begun()) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(readdirSync(parent)).toEqual([]);
});

describe('refused', () => {
  test.concurrent.each<[string, string[], string]>([
    ['BadArguments', ['--like', 'llama-4'], 'qwen2-7b'],
    ['BadArguments', ['--like', 'qwen2-7b', '--layers', '29'], '1 to 28'],
    ['BadArguments', ['--like', 'qwen2-7b', '--layers', '0'], '1 to 28'],
    ['BadArguments', ['--like', 'qwen2-7b', '--seed', '-1'], '--seed'],
    ['BadArguments', ['--like', 'qwen2-7b', '--dtype', 'int8'], 'float16'],
    ['FolderExists', ['--like', 'smollm2-135m', '--out', '.'], 'not empty'],
  ])('%s for %s', async (code, parameters, mentions) => {
    const own = join(folder, `refused-${parameters.join('')}`);
    mkdirSync(own);
    writeFileSync(join(own, 'mine.txt'), 'mine');
    const out = parameters.includes('--out') ? [] : ['--out', 'model'];
    await refuse(['make-random', ...parameters, ...out], code, mentions, own);
  });

  test('a disk without room', () => {
    expect(() => requireDiskSpace(join(folder, 'not', 'there'), 2 ** 60)).toThrow(/MiB free and \d+ MiB are to be written/);
    expect(() => requireDiskSpace(folder, 1)).not.toThrow();
  });
});
