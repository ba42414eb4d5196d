/** README's table of families: what cells say, what skipped tests leave as it was, and which model a test is about. */
import { describe, expect, test } from 'vitest';
import { coveringFiles } from './covering-files.ts';
import { blockOf, type CoveringTest, columns, familyTable, modelOf, withBlock } from './family-table.ts';

const models = [
  { id: 'zeta', family: 'second' },
  { id: 'beta', family: 'first' },
  { id: 'alpha', family: 'first' },
];
const covering = (model: string, column: CoveringTest['columns'][number], more: Partial<CoveringTest> = {}): CoveringTest => ({
  model,
  columns: [column],
  evidence: 'golden',
  state: 'passed',
  ...more,
});

/** Cells of one model by column. */
function cells(tests: CoveringTest[], model: string, before = ''): Record<string, string> {
  const row = familyTable(models, tests, before)
    .split('\n')
    .find((line) => line.includes(`| ${model} |`))!;
  const texts = row.split(' | ').slice(2);
  return Object.fromEntries(columns.map((column, index) => [column, texts[index]!.replace(' |', '')]));
}

test('one row a model, families together, every row as long as the head', () => {
  const lines = familyTable(models, [], '')
    .split('\n')
    .filter((line) => line.startsWith('|'));
  expect(lines.slice(2).map((line) => line.split(' | ').slice(0, 2).join(' '))).toEqual([
    '| first alpha',
    '| first beta',
    '| second zeta',
  ]);
  expect(new Set(lines.map((line) => line.split('|').length))).toEqual(new Set([columns.length + 4]));
});

test('a cell counts tests, tells golden values from own checks, and a failure from both', () => {
  const tests = [
    covering('alpha', 'forward'),
    covering('alpha', 'forward', { evidence: 'own' }),
    covering('alpha', 'scores', { evidence: 'own' }),
    covering('alpha', 'ranks', { state: 'failed' }),
    covering('alpha', 'ranks'),
    { ...covering('alpha', 'training'), columns: ['gradients', 'training'] } as CoveringTest,
    covering('beta', 'tokenize'),
  ];
  expect(cells(tests, 'alpha')).toMatchObject({
    tokenize: '–',
    forward: '✓ 2',
    scores: 'own check 1',
    ranks: '✗ 1 of 2',
    gradients: '✓ 1',
    training: '✓ 1',
  });
});

describe('a skipped test', () => {
  const skipped = [covering('alpha', 'WebGPU', { state: 'skipped' }), covering('alpha', 'WebGPU'), covering('beta', 'WebGPU')];
  const before = familyTable(
    models,
    [1, 2, 3].map(() => covering('alpha', 'WebGPU')),
    '',
  );

  test('leaves its cell as it was, and no other', () => {
    expect(cells(skipped, 'alpha', before).WebGPU).toBe('✓ 3');
    expect(cells(skipped, 'beta', before).WebGPU).toBe('✓ 1');
    expect(cells([covering('alpha', 'WebGPU')], 'alpha', before).WebGPU).toBe('✓ 1');
  });

  test('of a cell that was not there says so', () => {
    expect(cells(skipped, 'alpha').WebGPU).toBe('not run');
    expect(cells([...skipped, covering('alpha', 'WebGPU', { state: 'failed' })], 'alpha', before).WebGPU).toBe('✗ 1 of 3');
  });
});

test('the model is the first name that is one, however it goes on', () => {
  const ids = new Set(['olmo', 'olmo-clip']);
  expect(modelOf(['olmo-clip', 'all, whole'], ids)).toBe('olmo-clip');
  expect(modelOf(['forward', 'olmo: ragged'], ids)).toBe('olmo');
  expect(modelOf(['olmo, first-hop'], ids)).toBe('olmo');
  expect(modelOf(['olmo2', 'scores of olmo'], ids)).toBeUndefined();
});

test('the block between the markers is replaced, and nothing else', () => {
  const text = 'before\n<!-- families:begin -->\nold\n<!-- families:end -->\nafter\n';
  expect(blockOf(text)).toBe('old');
  expect(withBlock(text, 'new')).toBe(text.replace('old', 'new'));
  expect(blockOf('nothing')).toBeUndefined();
});

test('the files that the table is made of are found', () => {
  const names = coveringFiles().map((path) => path.replaceAll('\\', '/'));
  for (const name of ['parity/forward.test.ts', 'cli/families.test.ts'])
    expect(
      names.some((path) => path.endsWith(`/test/${name}`)),
      name,
    ).toBe(true);
  expect(names.some((path) => path.endsWith('family-table.test.ts'))).toBe(false);
});
