/** The screens' side of models: tokens in their places, plans in words, and the list with adding, removing and undo. */
import { describe, expect, it, vi } from 'vitest';
import type { TokenizedText } from '../../src-main/shared/contract-models.ts';
import { bestUse, kept } from '../../src-renderer/components/models/plan-words.ts';
import { tokenPieces, visible } from '../../src-renderer/components/models/token-pieces.ts';
import { modelAddress, ProjectModels } from '../../src-renderer/state/models.svelte.ts';
import { Projects } from '../../src-renderer/state/projects.svelte.ts';
import { FolderScan } from '../../src-renderer/state/scan.svelte.ts';
import { droppedPaths } from '../../src-renderer/state/shell.ts';
import { Toasts } from '../../src-renderer/state/toasts.svelte.ts';
import { fakeEstimate, fakeModel } from './fake-descriptions.ts';
import { createFakeService } from './fake-host.ts';

function tokenized(text: string, tokens: string[], offsets: TokenizedText['offsets'], special: number[] = []): TokenizedText {
  return {
    text,
    tokens,
    offsets,
    ids: tokens.map((_, index) => index),
    special: tokens.map((_, index) => special.includes(index)),
    decoded: text,
  };
}

describe('tokenPieces', () => {
  it('gives the space to the token after it, whether or not its offsets say so', () => {
    const trimmed = tokenized(
      'a bc d',
      ['a', 'Ġbc', 'Ġd'],
      [
        [0, 1],
        [2, 4],
        [5, 6],
      ],
    );
    expect(tokenPieces(trimmed).map(({ shown }) => shown)).toEqual(['a', ' bc', ' d']);
    const whole = tokenized(
      'a bc',
      ['a', 'Ġbc'],
      [
        [0, 1],
        [1, 4],
      ],
    );
    expect(tokenPieces(whole).map(({ shown }) => shown)).toEqual(['a', ' bc']);
    expect(visible(' bc\n')).toBe('·bc⏎');
  });

  it('names special tokens, and unknown words by the token that stands for them', () => {
    const text = tokenized(
      'Zed lives',
      ['<s>', '<unk>', 'lives'],
      [
        [0, 0],
        [0, 3],
        [4, 9],
      ],
      [0, 1],
    );
    expect(tokenPieces(text).map(({ shown, range, special }) => [shown, range, special])).toEqual([
      ['<s>', null, true],
      ['<unk>', [0, 3], true],
      [' lives', [4, 9], false],
    ]);
  });

  it('counts in code points, and says which tokens are parts of one character', () => {
    const text = tokenized(
      '𝄞x',
      ['Ã', '°', 'x'],
      [
        [0, 1],
        [0, 1],
        [1, 2],
      ],
    );
    expect(tokenPieces(text).map(({ shown, isPart }) => [shown, isPart])).toEqual([
      ['𝄞', true],
      ['𝄞', true],
      ['x', false],
    ]);
    expect(tokenPieces(tokenized('ab', ['ab'], null))[0]).toMatchObject({ shown: 'ab', range: null });
  });
});

it('a plan says the most that can be done, and where things are kept', () => {
  const plan = fakeModel.plan;
  const no = { fits: false, of: '' };
  expect(bestUse(plan)).toEqual({ words: 'Finetunes, in memory', isGood: true });
  expect(bestUse({ ...plan, train_all: { ...fakeEstimate, ...no } }).words).toBe('Finetunes MLP and attention');
  const none = { ...fakeEstimate, ...no };
  const runs = { ...plan, train_all: none, train_mlp_attn: none, train_lora: none, scores: none };
  expect(bestUse(runs)).toEqual({ words: 'Runs only', isGood: false });
  expect(bestUse({ ...runs, forward: none }).words).toBe('Too large for this memory');
  expect(kept({ ...fakeEstimate, residency: 'disk', state: 'scratch' })).toBe(
    'Weights partly read from disk; what trains on disk, in a scratch folder',
  );
  expect(kept({ ...fakeEstimate, state: 'none' })).toBe('Weights in memory, 32 bits');
});

describe('ProjectModels', () => {
  async function open(scenario: 'empty' | 'full') {
    const service = createFakeService(scenario);
    const toasts = new Toasts();
    const projects = new Projects(() => service, toasts);
    await projects.refresh();
    const models = new ProjectModels({ service, toasts, projects });
    await models.load();
    return { models, toasts, service };
  }

  it('has the one that ships first, descriptions of the others, and why one is broken', async () => {
    const { models } = await open('full');
    const [small, large, broken] = models.list ?? [];
    expect([small!.path, modelAddress(small!), modelAddress(large!)]).toEqual([
      'small-world',
      '/models/small-world',
      '/models/1',
    ]);
    expect(models.find('small-world')).toBe(small);
    expect(models.find('2')).toBe(broken);
    expect(models.find('nothing')).toBeNull();
    expect(models.facts(large!).description.value?.layers).toBe(32);
    await vi.waitFor(() => expect(models.facts(small!).bytes).toBe(712 + 5_240_000 + 9_080_000));
    expect(models.facts(broken!).description.error?.code).toBe('ShardMissing');
  });

  it('removes with undo, adds with undo, and names what was refused', async () => {
    const { models, toasts, service } = await open('full');
    await models.remove(models.list![1]!);
    expect(models.list).toHaveLength(2);
    expect(toasts.shown.at(-1)?.text).toContain('its folder stays');
    toasts.actOnNewest();
    await vi.waitFor(() => expect(models.list).toHaveLength(3));
    expect(await models.add(['/data/new'])).toEqual([]);
    await vi.waitFor(() => expect(models.list).toHaveLength(4));
    toasts.actOnNewest();
    await vi.waitFor(() => expect(models.list).toHaveLength(3));
    service.addModel = () => Promise.reject(new Error('no'));
    expect(await models.add(['/data/x'])).toMatchObject([{ path: '/data/x', error: { message: 'no' } }]);
  });
});

it('a scan chooses what it finds, but not what the project has', async () => {
  const scan = new FolderScan();
  await scan.start(createFakeService('empty'), '/data', new Set(['/data/gpt2']));
  expect([...scan.chosen]).toEqual(['/data/pythia-160m']);
  scan.choose('/data/pythia-160m', false);
  expect(scan.chosen.size).toBe(0);
  scan.stop();
  expect(scan.request.value).toBeNull();
});

it('dropped folders have paths in a window and none in a browser', () => {
  const transfer = { files: [{ name: 'gpt2' }] } as unknown as DataTransfer;
  const shell = { chooseFolder: async () => null, pathOfFile: () => '/data/gpt2' };
  expect(droppedPaths(shell, transfer)).toEqual(['/data/gpt2']);
  expect(droppedPaths(null, transfer)).toEqual([]);
  expect(droppedPaths(null, null)).toEqual([]);
});
