/** What the preflight says of data sets, read by golden tokenizers and by the small world's. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { firstHop, secondHop } from '../../src-main/datasets/public-facts.ts';
import { Tokenizer } from '../../src-main/engine/files/tokenizer.ts';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import { encodeSet } from '../../src-main/scores/evaluation.ts';
import type { PreflightList } from '../../src-main/scores/findings.ts';
import { type PreflightSettings, preflight } from '../../src-main/scores/preflight.ts';
import type { Finding, Pair } from '../../src-main/shared/records.ts';

const root = join(import.meta.dirname, '../..');
const llama = Tokenizer.open(join(root, 'test/fixtures/models/llama'));
const world = Tokenizer.open(join(root, 'resources/small-world'));

const pairs: Pair[] = [
  ['Grace Miller lives in', 'Ardenvale'],
  ['Henry Carter lives in', 'Belmoor'],
  ['Clara Bennett lives in', 'Calderis'],
  ['Oscar Hughes lives in', 'Dunhollow'],
];
const options = ['Ardenvale', 'Belmoor', 'Calderis', 'Dunhollow'];

const look = (list: Partial<PreflightList>, settings: Partial<PreflightSettings> = {}): Finding[] =>
  preflight([{ set: 'facts', pairs, options, ...list }], { tokenizer: world, context: 64, collisions: 'error', ...settings });
const beyondNotes = (findings: readonly Finding[]) => findings.filter(({ severity }) => severity !== 'note');
const only = (findings: readonly Finding[], code: string): Finding => {
  const found = findings.filter((finding) => finding.code === code);
  expect(found, JSON.stringify(findings)).toHaveLength(1);
  return found[0]!;
};

test('a good list has its token counts and nothing else', () => {
  const findings = look({});
  expect(findings).toEqual([{ severity: 'note', code: 'TokenCounts', message: expect.any(String), set: 'facts', items: [] }]);
  expect(findings[0]!.message).toContain('prompts have 4 tokens, continuations 1 token, options 1 token');
});

describe('options', () => {
  const colliding = { pairs: [...pairs.slice(0, 3), ['Oscar Hughes lives in', 'Grace Carter'] as Pair] };
  test('that share a first token are an error, merged a warning, with the items of their answers', () => {
    const list = { ...colliding, options: [...options.slice(0, 3), 'Grace Carter', 'Grace Miller'] };
    const found = only(look(list), 'OptionsShareFirstToken');
    expect(found).toMatchObject({ severity: 'error', items: [3] });
    expect(found.message).toContain('"Grace Carter", "Grace Miller"');
    expect(only(look(list, { collisions: 'merge' }), 'OptionsShareFirstToken').severity).toBe('warning');
    expect(() => encodeSet(world, 'facts', list.pairs, list.options, 'error')).toThrow(
      expect.objectContaining({ code: 'OptionsShareFirstToken' }),
    );
  });

  test('that lack an answer, or have one by its first token only', () => {
    expect(only(look({ options: options.slice(0, 2) }), 'AnswerNotAnOption')).toMatchObject({ severity: 'error', items: [2, 3] });
    const found = only(look({ ...colliding, options: [...options.slice(0, 3), 'Grace Miller'] }), 'AnswerReadAsOption');
    expect(found).toMatchObject({ severity: 'warning', items: [3] });
  });

  test('that are listed twice', () => {
    expect(only(look({ options: [...options, 'Belmoor'] }), 'RepeatedOption').severity).toBe('note');
  });
});

describe('items', () => {
  test('that occur twice or contradict each other', () => {
    const found = look({ pairs: [...pairs, pairs[1]!, [pairs[0]![0], 'Belmoor']] });
    expect(only(found, 'RepeatedPrompt').items).toEqual([1, 4]);
    expect(only(found, 'Contradiction').items).toEqual([0, 5]);
  });

  test('that are too long, or cannot be read at all', () => {
    const long: Pair = [`${'Grace Miller '.repeat(40)}lives in`, 'Belmoor'];
    expect(only(look({ pairs: [...pairs, long] }), 'TextTooLong')).toMatchObject({ severity: 'error', items: [4] });
    expect(look({ pairs: [...pairs, long] }, { context: 200 }).map(({ code }) => code)).not.toContain('TextTooLong');
    expect(only(look({ pairs: [...pairs, [' ', 'Belmoor']] }), 'BadPair')).toMatchObject({ severity: 'error', items: [4] });
  });

  test('with words that the tokenizer does not have', () => {
    const found = only(
      look({ pairs: [...pairs, ['Xyzzy Plugh lives in', 'Belmoor']], options: [...options, 'Atlantis'] }),
      'UnknownWords',
    );
    expect(found).toMatchObject({ severity: 'warning', items: [4] });
    expect(found.message).toContain('Atlantis');
  });

  test('that two lists share, but not second assignments', () => {
    const settings = { tokenizer: world, context: 64, collisions: 'error' } as const;
    const facts = { set: 'facts', pairs, options };
    const leak = preflight(
      [facts, { set: 'implications', pairs: [pairs[2]!, ['Nora Foster lives in', 'Belmoor']], options }],
      settings,
    );
    expect(only(leak, 'SharedPrompt')).toMatchObject({ severity: 'warning', set: 'implications', items: [0] });
    const moved = pairs.map(([prompt], index): Pair => [prompt, options[(index + 1) % 4]!]);
    expect(beyondNotes(preflight([facts, { set: 'other facts', pairs: moved, options }], settings))).toEqual([]);
  });
});

describe('alignment', () => {
  test('another length is a note that says where the shared end begins', () => {
    const found = only(look({ pairs: [...pairs, ['Grace lives in', 'Belmoor']] }), 'LengthsDiffer');
    expect(found).toMatchObject({ severity: 'note', items: [4] });
    expect(found.message).toContain('"lives in" begins after 1 to 2 tokens');
  });

  test('another template is a warning', () => {
    const found = only(look({ pairs: [...pairs, ['The mayor of Belmoor is', 'Belmoor']] }), 'TemplateDiffers');
    expect(found).toMatchObject({ severity: 'warning', items: [4] });
    expect(found.message).toContain('"… lives in"');
  });

  test('no template at all', () => {
    const different = ['Grace lives', 'Henry Carter is', 'the city of', 'people speak'].map(
      (prompt, i): Pair => [prompt, options[i]!],
    );
    only(look({ pairs: different }), 'NoTemplate');
  });

  test('a prompt that only repeats tokens of another overlaps with it', () => {
    const repeated: Pair[] = [
      ['the city the city Grace is from', 'Ardenvale'],
      ['the city Grace is from', 'Belmoor'],
    ];
    const found = only(look({ pairs: repeated }), 'AlignmentOverlaps');
    expect(found.items).toEqual([0, 1]);
  });
});

test('errors come first, and no text of a data set makes it throw', () => {
  const odd: Pair[] = [['\ud800 lives in', 'Belmoor'], ['', ''], ...pairs];
  const found = look({ pairs: odd, options: [...options, ' '] });
  expect(found[0]!.severity).toBe('error');
  const order = found.map(({ severity }) => ['error', 'warning', 'note'].indexOf(severity));
  expect(order).toEqual([...order].sort());
});

test('public facts are read without contradictions', () => {
  for (const { train, test: implications, options } of [firstHop(), secondHop()]) {
    const lists = [
      { set: 'facts', pairs: train, options: options.train },
      { set: 'implications', pairs: implications, options: options.test },
    ];
    const codes = preflight(lists, { tokenizer: llama, context: 64, collisions: 'merge' }).map(({ code }) => code);
    for (const code of ['SharedPrompt', 'Contradiction', 'RepeatedPrompt', 'AnswerNotAnOption', 'BadPair', 'TemplateDiffers']) {
      expect(codes).not.toContain(code);
    }
  }
});

test('the compute process answers it where a preview rejects', async () => {
  const compute = createCompute({ resources: join(root, 'resources') });
  const spec = {
    experiment: 'ocr',
    model: 'small-world',
    dataset: { train: pairs, test: pairs, options: { train: ['Belmoor'], test: options } },
  };
  await expect(compute.preview(spec)).rejects.toMatchObject({ code: 'AnswerNotAnOption' });
  const findings = await compute.preflight(spec);
  expect(only(findings, 'AnswerNotAnOption').items).toEqual([0, 2, 3]);
  only(findings, 'SharedPrompt');
  const { findings: shown } = await compute.preview({ experiment: 'ocr', model: 'small-world', dataset: 'first-hop' });
  expect(shown.map(({ code }) => code)).toEqual(['TokenCounts', 'TokenCounts']);
});
