/** Files and folders whose tensors come one after the other: the same bytes as written at once, spread over files, or nothing. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src-main/engine/files/checkpoint.ts';
import { writeModelFolder, writeModelFolderStreamed } from '../../../src-main/engine/files/model-folder.ts';
import { type TensorEntry, writeSafetensors, writeSafetensorsStreamed } from '../../../src-main/engine/files/safetensors.ts';
import type { Tensor } from '../../../src-main/engine/tensor.ts';
import { temporaryFolder } from './scratch.ts';

const tensors = new Map<string, Tensor>([
  ['b.half', { type: 'bfloat16', shape: [3, 5], data: Uint16Array.from({ length: 15 }, (_, index) => index * 77) }],
  ['a.half', { type: 'float16', shape: [7], data: Uint16Array.from({ length: 7 }, (_, index) => index) }],
  ['z.float', { type: 'float32', shape: [2, 2], data: Float32Array.of(1, -2, 3.5, 1e-20) }],
  ['empty', { type: 'float32', shape: [0, 4], data: new Float32Array(0) }],
]);
const entries: TensorEntry[] = [...tensors].map(([name, { type, shape }]) => ({ name, type, shape }));
const bytesOf = (name: string) => {
  const { data } = tensors.get(name)!;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
};
type Write = (bytes: Uint8Array) => void;

describe('a streamed safetensors file', () => {
  it('has the bytes of one written at once, whatever the pieces', async () => {
    const folder = temporaryFolder();
    writeSafetensors(join(folder, 'whole'), tensors, { format: 'pt' });
    const order: string[] = [];
    const reused = new Uint8Array(3);
    await writeSafetensorsStreamed(join(folder, 'streamed'), entries, { format: 'pt' }, async ({ name }, write) => {
      order.push(name);
      const bytes = bytesOf(name);
      for (let done = 0; done < bytes.length; done += 3) {
        await Promise.resolve();
        const part = bytes.subarray(done, done + 3);
        reused.set(part);
        write(reused.subarray(0, part.length));
      }
    });
    expect(readFileSync(join(folder, 'streamed'))).toEqual(readFileSync(join(folder, 'whole')));
    expect(order).toEqual(['empty', 'z.float', 'a.half', 'b.half']);
    expect(readdirSync(folder).sort()).toEqual(['streamed', 'whole']);
  });

  it.each<[string, TensorEntry[], (entry: TensorEntry, write: Write) => void, string]>([
    ['too few bytes', entries, ({ name }, write) => write(bytesOf(name).subarray(1)), 'takes 16 bytes but 15 were given'],
    ['too many bytes', entries, ({ name }, write) => write(new Uint8Array(bytesOf(name).length + 2)), 'takes 0 bytes but 2'],
    ['no bytes', entries, () => undefined, 'takes 16 bytes but 0'],
    ['two of a name', [...entries, entries[0]!], ({ name }, write) => write(bytesOf(name)), 'two tensors are named b.half'],
    ['a name that is reserved', [{ ...entries[0]!, name: '__metadata__' }], () => undefined, '__metadata__'],
    [
      'an error of its own',
      entries,
      () => {
        throw new Error('of its own');
      },
      'of its own',
    ],
  ])('leaves nothing after %s', async (_, given, produce, message) => {
    const folder = temporaryFolder();
    await expect(writeSafetensorsStreamed(join(folder, 'a'), given, {}, produce)).rejects.toThrow(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('names a folder that is not there', async () => {
    const path = join(temporaryFolder(), 'none', 'a');
    await expect(writeSafetensorsStreamed(path, [], {}, () => undefined)).rejects.toMatchObject({ code: 'CannotWrite' });
  });
});

describe('a streamed model folder', () => {
  const write = (folder: string, largestFile?: number) =>
    writeModelFolderStreamed(folder, {
      config: { model_type: 'any' },
      tokenizerFiles: { 'tokenizer.json': '{}' },
      entries,
      produce: ({ name }, put) => put(bytesOf(name)),
      ...(largestFile === undefined ? {} : { largestFile }),
    });

  it('is the folder that is written at once', async () => {
    const folder = temporaryFolder();
    await write(join(folder, 'streamed'));
    writeModelFolder(join(folder, 'whole'), {
      config: { model_type: 'any' },
      tokenizerFiles: { 'tokenizer.json': '{}' },
      tensors,
    });
    const names = readdirSync(join(folder, 'whole')).sort();
    expect(names).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    expect(readdirSync(join(folder, 'streamed')).sort()).toEqual(names);
    for (const name of names) {
      expect(readFileSync(join(folder, 'streamed', name)), name).toEqual(readFileSync(join(folder, 'whole', name)));
    }
  });

  // 30, 14, 16 and 0 bytes
  it.each([
    [1, [['b.half'], ['a.half'], ['z.float'], ['empty']]],
    [30, [['b.half'], ['a.half', 'z.float', 'empty']]],
    [
      44,
      [
        ['b.half', 'a.half'],
        ['z.float', 'empty'],
      ],
    ],
  ])('is spread over files of at most %i bytes', async (largestFile, expected) => {
    const folder = join(temporaryFolder(), 'model');
    await write(folder, largestFile);
    const number = (value: number) => String(value).padStart(5, '0');
    const names = expected.map((_, index) => `model-${number(index + 1)}-of-${number(expected.length)}.safetensors`);
    expect(readdirSync(folder).filter((name) => name.endsWith('.safetensors'))).toEqual(names);
    const index = JSON.parse(readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8'));
    expect(index.metadata).toEqual({ total_size: 60 });
    for (const [place, tensorNames] of expected.entries()) {
      for (const name of tensorNames) expect(index.weight_map[name], name).toBe(names[place]);
    }
    const checkpoint = openCheckpoint(folder);
    expect(checkpoint.warnings).toEqual([]);
    expect([...checkpoint.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, { data }] of tensors) expect(checkpoint.read(name).data, name).toEqual(data);
    checkpoint.close();
  });

  it('writes decimal fields with a point, which transformers asks for', async () => {
    const folder = join(temporaryFolder(), 'model');
    const config = {
      attn_logit_softcapping: 50,
      clip_qkv: null,
      rope_theta: 500000,
      rope_scaling: { factor: 32, rope_type: 'llama3' },
      vocab_size: 12,
      note: '"rope_theta": 1,\n',
      final_logit_softcapping: 30,
    };
    writeModelFolder(folder, { config, tensors, tokenizerFiles: {} });
    const text = readFileSync(join(folder, 'config.json'), 'utf8');
    expect(JSON.parse(text)).toEqual(config);
    expect(text.match(/\d+\.0/g)).toEqual(['50.0', '500000.0', '32.0', '30.0']);
  });

  it('leaves nothing when a tensor fails, and an existing folder as it was', async () => {
    const parent = temporaryFolder();
    const folder = join(parent, 'model');
    mkdirSync(folder);
    const failing = writeModelFolderStreamed(folder, {
      config: {},
      tokenizerFiles: {},
      entries,
      largestFile: 1,
      produce({ name }, put) {
        if (name === 'z.float') throw new Error('in the third file');
        put(bytesOf(name));
      },
    });
    await expect(failing).rejects.toThrow('in the third file');
    expect(readdirSync(parent)).toEqual(['model']);
    expect(readdirSync(folder)).toEqual([]);
  });
});
