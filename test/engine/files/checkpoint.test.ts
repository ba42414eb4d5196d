import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src-main/engine/files/checkpoint.ts';
import { fileNameProblem, pathInside } from '../../../src-main/engine/files/inside-folder.ts';
import { writeModelFolder } from '../../../src-main/engine/files/model-folder.ts';
import { SafetensorsFile, writeSafetensors } from '../../../src-main/engine/files/safetensors.ts';
import { elementCount, floatTensor, type Tensor } from '../../../src-main/engine/tensor.ts';
import { errorOf, fixtures, temporaryFolder } from './scratch.ts';

const llama = join(fixtures, 'models/llama');
const sharded = join(fixtures, 'models/llama-sharded');
const indexName = 'model.safetensors.index.json';

/** A writable copy of a fixture folder. */
function copyOf(folder: string): string {
  const copy = join(temporaryFolder(), basename(folder));
  cpSync(folder, copy, { recursive: true });
  execFileSync('chmod', ['-R', 'u+w', copy]);
  return copy;
}

function values(folder: string): Map<string, Float32Array> {
  const checkpoint = openCheckpoint(folder);
  const all = new Map<string, Float32Array>();
  for (const [name, { shape }] of checkpoint.tensors) {
    const target = new Float32Array(elementCount(shape));
    checkpoint.readFloat32Into(name, target);
    all.set(name, target);
  }
  checkpoint.close();
  return all;
}

describe('opening a model folder', () => {
  it('reads single and sharded folders alike', () => {
    const single = values(llama);
    expect(single.size).toBeGreaterThan(10);
    expect(values(sharded)).toEqual(single);
    const checkpoint = openCheckpoint(llama);
    expect(checkpoint.config.model_type).toBe('llama');
    expect(checkpoint.dtype).toBe('float32');
    expect(checkpoint.warnings).toEqual([]);
    expect(checkpoint.read('model.embed_tokens.weight').type).toBe('float32');
    checkpoint.close();
  });

  it('widens bfloat16 in pieces, with a given function too', () => {
    const checkpoint = openCheckpoint(join(fixtures, 'models/llama-bf16'));
    expect(checkpoint.dtype).toBe('bfloat16');
    const exact = values(llama);
    let worst = 0;
    for (const [name, rounded] of values(join(fixtures, 'models/llama-bf16'))) {
      for (const [index, value] of exact.get(name)!.entries())
        worst = Math.max(worst, Math.abs(rounded[index]! - value) / Math.abs(value));
    }
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThanOrEqual(2 ** -8);
    const name = 'model.norm.weight';
    const target = new Float32Array(checkpoint.tensors.get(name)!.shape[0]!);
    checkpoint.readFloat32Into(name, target, (type, source, part) => part.fill(type === 'bfloat16' ? source.length : -1));
    expect([...target]).toEqual([...target].fill(target.length));
    expect(errorOf(() => checkpoint.readFloat32Into(name, new Float32Array(3)))).toMatch(/^WrongShape: /);
    expect(errorOf(() => checkpoint.readFloat32Into('none', target))).toMatch(/^MissingTensor: /);
    checkpoint.close();
  });

  it('widens tensors longer than a piece, and float16', () => {
    const folder = temporaryFolder();
    const count = (1 << 20) + 3;
    writeFileSync(join(folder, 'config.json'), '{}');
    const data = Uint16Array.from({ length: count }, (_, index) => 0x3c00 + (index % 1024));
    writeSafetensors(
      join(folder, 'model.safetensors'),
      new Map<string, Tensor>([
        ['w', { type: 'float16', shape: [1, count], data }],
        ['n', { type: 'int64', shape: [1], data: BigInt64Array.of(1n) }],
      ]),
    );
    const checkpoint = openCheckpoint(folder);
    expect(checkpoint.dtype).toBe('float16');
    const target = new Float32Array(count);
    checkpoint.readFloat32Into('w', target);
    expect(target[0]).toBe(1);
    expect(target[count - 1]).toBe(1 + ((count - 1) % 1024) / 1024);
    expect(errorOf(() => checkpoint.readFloat32Into('n', new Float32Array(1)))).toMatch(/^UnsupportedDtype: .*I64/);
    checkpoint.close();
  });

  it('hashes content, not place, and notices a change', () => {
    const hash = (folder: string): string => {
      const checkpoint = openCheckpoint(folder);
      checkpoint.close();
      return checkpoint.hash();
    };
    const copy = copyOf(llama);
    expect(hash(copy)).toMatch(/^[0-9a-f]{64}$/);
    expect(hash(copy)).toBe(hash(llama));
    expect(hash(sharded)).not.toBe(hash(llama));
    const path = join(copy, 'model.safetensors');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    expect(hash(copy)).not.toBe(hash(llama));
  });

  it.each<[string, string, (folder: string) => void]>([
    ['ConfigMissing', 'no config.json', (folder) => rmSync(join(folder, 'config.json'))],
    ['BadConfig', 'config.json an array', (folder) => writeFileSync(join(folder, 'config.json'), '[]')],
    ['BadJson', 'config.json with a key twice', (folder) => writeFileSync(join(folder, 'config.json'), '{"a":1,"a":1}')],
    [
      'BadJson',
      'config.json too large',
      (folder) => writeFileSync(join(folder, 'config.json'), `{"a":"${'x'.repeat(1 << 20)}"}`),
    ],
    ['WeightsMissing', 'no weights', (folder) => rmSync(join(folder, 'model.safetensors'))],
    [
      'WeightsMissing',
      'pickled weights only',
      (folder) => renameSync(join(folder, 'model.safetensors'), join(folder, 'pytorch_model.bin')),
    ],
    [
      'BadSafetensors',
      'cut weights',
      (folder) =>
        writeFileSync(join(folder, 'model.safetensors'), readFileSync(join(folder, 'model.safetensors')).subarray(0, 5000)),
    ],
    [
      'OutsideFolder',
      'weights linked from outside',
      (folder) => {
        renameSync(join(folder, 'model.safetensors'), join(folder, '../elsewhere'));
        symlinkSync('../elsewhere', join(folder, 'model.safetensors'));
      },
    ],
    [
      'OutsideFolder',
      'config linked from a sibling with the same prefix',
      (folder) => {
        mkdirSync(`${folder}2`);
        renameSync(join(folder, 'config.json'), `${folder}2/config.json`);
        symlinkSync(`${folder}2/config.json`, join(folder, 'config.json'));
      },
    ],
    [
      'OutsideFolder',
      'a broken link',
      (folder) => {
        rmSync(join(folder, 'config.json'));
        symlinkSync('nowhere', join(folder, 'config.json'));
      },
    ],
    [
      'OutsideFolder',
      'a link to itself',
      (folder) => {
        rmSync(join(folder, 'config.json'));
        symlinkSync('config.json', join(folder, 'config.json'));
      },
    ],
    [
      'BadSafetensors',
      'a FIFO as weights',
      (folder) => {
        rmSync(join(folder, 'model.safetensors'));
        execFileSync('mkfifo', [join(folder, 'model.safetensors')]);
      },
    ],
  ])('%s: %s', (code, what, damage) => {
    const folder = copyOf(llama);
    damage(folder);
    const message = errorOf(() => openCheckpoint(folder));
    expect(message.startsWith(`${code}: `), message).toBe(true);
    if (what.startsWith('pickled')) expect(message).toContain('pytorch_model.bin');
  });

  it('explains folders that are none', () => {
    expect(errorOf(() => openCheckpoint(join(temporaryFolder(), 'none')))).toMatch(/^ModelNotFound: There is no folder/);
    expect(errorOf(() => openCheckpoint(join(llama, 'config.json')))).toMatch(/^ModelNotFound: .*is a file/);
  });

  it.each<[string, (map: Record<string, unknown>, folder: string) => unknown]>([
    ...[
      '../x.safetensors',
      '/etc/x.safetensors',
      'C:\\x.safetensors',
      '\\\\host\\x.safetensors',
      'a/b.safetensors',
      'x\0.safetensors',
    ].map((value): [string, (map: Record<string, unknown>) => unknown] => [
      'OutsideFolder',
      (map) => Object.assign(map, { 'lm_head.weight': value }),
    ]),
    ['BadIndex', (map) => Object.assign(map, { 'lm_head.weight': 3 })],
    ['BadIndex', (map) => Object.assign(map, { 'lm_head.weight': indexName })],
    ['BadIndex', (map) => Object.assign(map, { 'lm_head.weight': 'pytorch_model.bin' })],
    ['BadIndex', () => ({})],
    ['BadIndex', () => 'x'],
    ['ShardMissing', (map) => Object.assign(map, { 'lm_head.weight': 'model-00003-of-00002.safetensors' })],
    ['MissingTensor', (map) => Object.assign(map, { extra: 'model-00001-of-00002.safetensors' })],
    [
      'MissingTensor',
      (map) =>
        Object.assign(map, {
          'lm_head.weight':
            map['lm_head.weight'] === 'model-00001-of-00002.safetensors'
              ? 'model-00002-of-00002.safetensors'
              : 'model-00001-of-00002.safetensors',
        }),
    ],
    [
      'DuplicateTensor',
      (map, folder) => {
        cpSync(join(folder, 'model-00001-of-00002.safetensors'), join(folder, 'again.safetensors'));
        return Object.assign(map, { extra: 'again.safetensors' });
      },
    ],
    [
      'OutsideFolder',
      (map, folder) => {
        symlinkSync('/etc/hostname', join(folder, 'link.safetensors'));
        return Object.assign(map, { extra: 'link.safetensors' });
      },
    ],
    [
      'BadSafetensors',
      (map, folder) => {
        mkdirSync(join(folder, 'folder.safetensors'));
        return Object.assign(map, { extra: 'folder.safetensors' });
      },
    ],
  ])('sharded index, %s', (code, change) => {
    const folder = copyOf(sharded);
    const index = JSON.parse(readFileSync(join(folder, indexName), 'utf8')) as { weight_map: Record<string, unknown> };
    writeFileSync(join(folder, indexName), JSON.stringify({ ...index, weight_map: change(index.weight_map, folder) }));
    const message = errorOf(() => openCheckpoint(folder));
    expect(message.startsWith(`${code}: `), message).toBe(true);
  });

  it('warns of tensors that no index lists, of a wrong total and of two sets of weights', () => {
    const folder = copyOf(sharded);
    const index = JSON.parse(readFileSync(join(folder, indexName), 'utf8')) as { weight_map: Record<string, string> };
    const { 'lm_head.weight': _, ...rest } = index.weight_map;
    writeFileSync(join(folder, indexName), JSON.stringify({ metadata: { total_size: 1 }, weight_map: rest }));
    const checkpoint = openCheckpoint(folder);
    expect(checkpoint.warnings).toEqual([
      expect.stringContaining('"lm_head.weight"'),
      expect.stringContaining('total_size of 1 '),
    ]);
    expect(checkpoint.tensors.has('lm_head.weight')).toBe(true);
    checkpoint.close();
    cpSync(join(llama, 'model.safetensors'), join(folder, 'model.safetensors'));
    const both = openCheckpoint(folder);
    expect(both.warnings).toEqual([expect.stringContaining('the single file is used')]);
    both.close();
  });

  it('reads a hub cache, whose files are links into its blobs, and no other links', () => {
    const cache = temporaryFolder();
    const repository = join(cache, 'models--owner--name');
    const snapshot = join(repository, 'snapshots/0123');
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(repository, 'blobs'));
    for (const name of ['config.json', 'model.safetensors', 'tokenizer.json']) {
      cpSync(join(llama, name), join(repository, 'blobs', `blob-of-${name.length}`));
      symlinkSync(`../../blobs/blob-of-${name.length}`, join(snapshot, name));
    }
    const checkpoint = openCheckpoint(snapshot);
    const plain = openCheckpoint(llama);
    expect(checkpoint.hash()).toBe(plain.hash());
    checkpoint.close();
    plain.close();
    symlinkSync(snapshot, join(cache, 'short'));
    openCheckpoint(join(cache, 'short')).close();
    const other = join(cache, 'models--owner--other');
    mkdirSync(join(other, 'blobs'), { recursive: true });
    cpSync(join(llama, 'config.json'), join(other, 'blobs/config'));
    rmSync(join(snapshot, 'config.json'));
    symlinkSync('../../../models--owner--other/blobs/config', join(snapshot, 'config.json'));
    expect(errorOf(() => openCheckpoint(snapshot))).toMatch(/^OutsideFolder: /);
    // A blobs folder that is itself a link would let a cache name any place.
    rmSync(join(snapshot, 'config.json'));
    symlinkSync('../../blobs/config.json', join(snapshot, 'config.json'));
    rmSync(join(repository, 'blobs'), { recursive: true });
    symlinkSync(llama, join(repository, 'blobs'));
    expect(errorOf(() => openCheckpoint(snapshot))).toMatch(/^OutsideFolder: /);
  });
});

describe('names of files in a folder', () => {
  it.each([
    ...[
      '',
      '.',
      '..',
      '../x',
      '../../x',
      '/etc/passwd',
      'C:\\x',
      'C:x',
      '\\\\?\\C:\\x',
      '\\\\host\\share',
      '//host/x',
      'a/b',
      'a\\b',
      'a\0b',
      'x\n',
      'x ',
      'x.',
    ],
    ...[
      'CON',
      'nul.txt',
      'COM1',
      'lpt9.safetensors',
      'a:stream',
      'x'.repeat(4096),
      '\u202ename',
      'a\u200bb',
      '\ud800',
      '..\\x',
      './x',
      'x/',
    ],
  ])('refuses %j', (name) => {
    expect(fileNameProblem(name)).toBeDefined();
    expect(errorOf(() => pathInside(llama, name))).toMatch(/^OutsideFolder: /);
  });

  it.each(['config.json', '%2e%2e', '..x', 'x..y', 'é.json', 'console.json', 'a b.safetensors', '.hidden'])(
    'allows %j',
    (name) => {
      expect(fileNameProblem(name)).toBeUndefined();
    },
  );

  it('follows links within the folder and takes hard links, which only lend their content', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'real'), 'x');
    symlinkSync('real', join(folder, 'soft'));
    linkSync(join(folder, 'real'), join(folder, 'hard'));
    expect(basename(pathInside(folder, 'soft')!)).toBe('real');
    expect(basename(pathInside(folder, 'hard')!)).toBe('hard');
    expect(pathInside(folder, 'none')).toBeUndefined();
  });
});

describe('writing a model folder', () => {
  const tensors = new Map([['w', floatTensor([2, 2], Float32Array.of(1, 2, 3, 4))]]);

  it('writes one that opens again', () => {
    const folder = join(temporaryFolder(), 'model');
    writeModelFolder(folder, {
      config: { model_type: 'llama' },
      tensors,
      tokenizerFiles: { copyFrom: llama },
      otherFiles: { 'record.json': '{}' },
    });
    expect(readdirSync(folder).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'record.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const checkpoint = openCheckpoint(folder);
    expect(JSON.stringify(checkpoint.config)).toBe('{"model_type":"llama"}');
    expect(checkpoint.read('w').data).toEqual(Float32Array.of(1, 2, 3, 4));
    checkpoint.close();
    expect(readFileSync(join(folder, 'tokenizer.json')).equals(readFileSync(join(llama, 'tokenizer.json')))).toBe(true);
    expect(errorOf(() => writeModelFolder(folder, { config: {}, tensors, tokenizerFiles: {} }))).toMatch(/^FolderExists: /);
  });

  it('fills an empty folder, and leaves nothing when it fails', () => {
    const parent = temporaryFolder();
    const folder = join(parent, 'model');
    mkdirSync(folder);
    const bad = new Map([['w', floatTensor([3], new Float32Array(2))]]);
    expect(
      errorOf(() => writeModelFolder(folder, { config: {}, tensors: bad, tokenizerFiles: { 'tokenizer.json': '{}' } })),
    ).toMatch(/^BadSafetensors: /);
    expect(errorOf(() => writeModelFolder(folder, { config: {}, tensors, tokenizerFiles: { '../x': '' } }))).toMatch(
      /^OutsideFolder: /,
    );
    expect(
      errorOf(() => writeModelFolder(folder, { config: {}, tensors, tokenizerFiles: { copyFrom: join(parent, 'none') } })),
    ).toMatch(/^ModelNotFound: /);
    expect(readdirSync(parent)).toEqual(['model']);
    expect(readdirSync(folder)).toEqual([]);
    writeModelFolder(folder, { config: {}, tensors, tokenizerFiles: { 'tokenizer.json': '{}' } });
    expect(existsSync(join(folder, 'tokenizer.json'))).toBe(true);
    SafetensorsFile.open(join(folder, 'model.safetensors')).close();
    expect(readdirSync(parent)).toEqual(['model']);
  });
});
