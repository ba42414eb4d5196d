/** Who may import whom (the table), that each large library has one door, and that files say what they are. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';

const project = join(import.meta.dirname, '..');

/** Folder or file -> the folders and files of src-main that it may import, besides itself. The longest matching key counts. */
const allowed: Record<string, string[]> = {
  'src-main/shared': [],
  'src-main/engine/tensor.ts': [],
  'src-main/engine/available-memory.ts': [],
  'src-main/engine/weights.ts': ['src-main/engine/tensor.ts'],
  'src-main/engine/files': ['src-main/shared', 'src-main/engine/tensor.ts', 'src-main/engine/weights.ts'],
  'src-main/engine/graph': ['src-main/shared', 'src-main/engine/tensor.ts'],
  'src-main/engine/kernels': [],
  'src-main/engine/models': [
    'src-main/shared',
    'src-main/engine/tensor.ts',
    'src-main/engine/weights.ts',
    'src-main/engine/files',
    'src-main/engine/graph',
  ],
  'src-main/engine/runtime': ['src-main/shared', 'src-main/engine/tensor.ts', 'src-main/engine/graph', 'src-main/engine/kernels'],
  'src-main/engine/execution': ['src-main/shared', 'src-main/engine'],
  'src-main/engine/training': ['src-main/shared', 'src-main/engine'],
  'src-main/scores': ['src-main/shared', 'src-main/engine', 'src-main/datasets'],
  'src-main/world': ['src-main/shared', 'src-main/engine', 'src-main/scores'],
  'src-main/datasets': ['src-main/shared', 'src-main/engine/files', 'src-main/world'],
  'src-main/experiments': ['src-main/shared', 'src-main/engine', 'src-main/datasets', 'src-main/scores', 'src-main/world'],
  'src-main/database': ['src-main/shared'],
  'src-main/service': ['src-main/shared', 'src-main/database', 'src-main/engine/available-memory.ts'],
  'src-main/host.ts': ['src-main/shared', 'src-main/service', 'src-main/database'],
  'src-main/compute.ts': ['src-main/shared', 'src-main/experiments', 'src-main/engine/runtime'],
  'src-main/shell': ['src-main/shared'],
  'src-main/main.ts': ['src-main/shared', 'src-main/shell', 'src-main/service/data-folder.ts'],
  'src-main/preload.ts': ['src-main/shared', 'src-main/shell'],
  'src-main/scripts': ['src-main/shared', 'src-main/experiments', 'src-main/scores/statistics.ts'],
  'src-main/cli.ts': ['src-main'],
  'src-main/cli': ['src-main'],
  'src-renderer': ['src-main/shared'],
};

/** Libraries that exactly one file imports. */
const doors: Record<string, string> = {
  'onnxruntime-node': 'src-main/engine/runtime/session.ts',
  'better-sqlite3': 'src-main/database/open.ts',
  '@huggingface/tokenizers': 'src-main/engine/files/tokenizer.ts',
  protobufjs: 'src-main/engine/graph/onnx.ts',
  commander: 'src-main/cli/program.ts',
  yaml: 'src-main/cli/yaml-file.ts',
  ws: 'src-main/shell/serve.ts',
  'chart.js': 'src-renderer/components/LineChart.svelte',
  hyparquet: 'src-renderer/datasets/parquet.ts',
  'hyparquet-compressors': 'src-renderer/datasets/parquet.ts',
  'hyparquet-writer': 'src-renderer/datasets/parquet.ts',
};

const electronFiles = ['src-main/main.ts', 'src-main/preload.ts'];

const importPattern =
  /(?:^|[^\w.])(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm;

interface Import {
  file: string;
  target: string;
  typeOnly: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(project, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'assembly' || entry.name === 'node_modules' ? [] : sourceFiles(path);
    return /\.(ts|svelte)$/.test(entry.name) && !entry.name.endsWith('.d.ts') && entry.name !== 'kernels-binary.ts' ? [path] : [];
  });
}

const files = [...sourceFiles('src-main'), ...sourceFiles('src-renderer')];

const imports: Import[] = files.flatMap((file) =>
  [...readFileSync(join(project, file), 'utf8').matchAll(importPattern)].map((match) => ({
    file,
    target: match[2] ?? match[3]!,
    typeOnly: match[1] !== undefined,
  })),
);

const within = (path: string, place: string) => path === place || path.startsWith(`${place}/`);

const layerOf = (file: string): string | undefined =>
  Object.keys(allowed)
    .filter((place) => within(file, place))
    .sort((a, b) => b.length - a.length)[0];

describe('layers', () => {
  test('every file has a layer', () => {
    expect(files.filter((file) => layerOf(file) === undefined)).toEqual([]);
  });

  test('imports go where the table allows', () => {
    const wrong = imports.flatMap(({ file, target }) => {
      if (!target.startsWith('.')) return [];
      const path = relative(project, resolve(project, dirname(file), target))
        .split(sep)
        .join('/');
      if (path === 'package.json') return [];
      const layer = layerOf(file)!;
      const places = [layer, ...allowed[layer]!];
      return places.some((place) => within(path, place))
        ? []
        : [`${file} imports ${path}; ${layer} may import ${allowed[layer]!.join(', ') || 'nothing'}`];
    });
    expect(wrong).toEqual([]);
  });

  test.each(Object.entries(doors))('%s has one door', (library, door) => {
    const users = new Set(imports.filter(({ target, typeOnly }) => !typeOnly && within(target, library)).map(({ file }) => file));
    expect([...users]).toEqual([door]);
  });

  test('only the shell entries import electron', () => {
    const users = imports.filter(({ target, typeOnly }) => target === 'electron' && !typeOnly).map(({ file }) => file);
    expect([...new Set(users)].filter((file) => !electronFiles.includes(file))).toEqual([]);
  });

  test('shared needs neither Node nor a library', () => {
    expect(imports.filter(({ file, target }) => within(file, 'src-main/shared') && !target.startsWith('.'))).toEqual([]);
  });

  test('the renderer puts no raw HTML on the page', () => {
    expect(
      files.filter((file) => file.endsWith('.svelte') && readFileSync(join(project, file), 'utf8').includes('{@html')),
    ).toEqual([]);
  });
});

test('every source file opens with what it is', () => {
  const silent = files.filter((file) => {
    const text = readFileSync(join(project, file), 'utf8').trimStart();
    return !(
      text.startsWith('/**') ||
      text.startsWith('<!--') ||
      (file.endsWith('.svelte') && /^<script[^>]*>\s*\/\*\*/.test(text)) ||
      text.startsWith('#!')
    );
  });
  expect(silent).toEqual([]);
});
