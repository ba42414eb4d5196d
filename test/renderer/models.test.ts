/** The screens' side of models: tokens in their places, plans in words, and the list with adding, removing and undo. */
import { describe, expect, it, vi } from 'vitest';
import type { TokenizedText } from '../../src-main/shared/contract-models.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { folderAdvice, folderProblem, isAway } from '../../src-renderer/components/models/folder-problems.ts';
import { arrangeModels, type ListedModel, type ModelQuery } from '../../src-renderer/components/models/model-list.ts';
import { bestUse, kept } from '../../src-renderer/components/models/plan-words.ts';
import { isSpaceOnly, tokenPieces, visible } from '../../src-renderer/components/models/token-pieces.ts';
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
  expect(bestUse(plan)).toEqual({ words: 'Finetunes, in memory', isGood: true, isPossible: true, memory: plan.train_all.memory });
  expect(bestUse({ ...plan, train_all: { ...fakeEstimate, ...no } }).words).toBe('Finetunes MLP and attention');
  const none = { ...fakeEstimate, ...no };
  const runs = { ...plan, train_all: none, train_mlp_attn: none, train_lora: none, scores: none };
  expect(bestUse(runs)).toMatchObject({ words: 'Runs only', isGood: false, isPossible: true });
  expect(bestUse({ ...runs, forward: none })).toMatchObject({ words: 'Too large for this memory', isPossible: false });
  expect(kept({ ...fakeEstimate, residency: 'disk', state: 'scratch' })).toBe(
    'Weights partly read from disk; what trains on disk, in a scratch folder',
  );
  expect(kept({ ...fakeEstimate, state: 'none' })).toBe('Weights in memory, 32 bits');
});

describe('ProjectModels', () => {
  async function open(scenario: 'empty' | 'full', options: { described?: boolean } = {}) {
    const service = createFakeService(scenario);
    const toasts = new Toasts();
    const projects = new Projects(() => service, toasts);
    await projects.refresh();
    const workbench = { service, toasts, projects };
    const models = new ProjectModels(workbench, options);
    await models.load();
    return { models, toasts, service, workbench };
  }

  it('asks nobody about folders where only the list is wanted, whatever is changed', async () => {
    const { models, toasts, service } = await open('full', { described: false });
    const describe = vi.spyOn(service, 'describeModel');
    await models.remove(models.list![1]!);
    toasts.actOnNewest();
    await vi.waitFor(() => expect(models.list).toHaveLength(3));
    await models.add(['/data/new']);
    await vi.waitFor(() => expect(models.list).toHaveLength(4));
    await models.locate(models.list![3]!, '/data/elsewhere', false);
    await vi.waitFor(() => expect(models.list?.[3]?.path).toBe('/data/elsewhere'));
    expect(describe).not.toHaveBeenCalled();
  });

  it('keeps over a reconnection what was said of folders, and asks for what was not', async () => {
    const { models, service, workbench } = await open('full');
    const [small, large] = models.list!;
    const { description } = models.facts(large!);
    expect(description.value?.layers).toBe(32);
    const cut = () => Promise.reject(new HopscopeError('Disconnected', 'The line is down.', 'failure'));
    await service.addModel(1, '/data/pythia-160m');
    service.describeModel = cut;
    await models.load();
    const added = models.list!.at(-1)!;
    expect(models.facts(added).description).toMatchObject({ value: null, error: null });
    const next = createFakeService('full');
    await next.addModel(1, '/data/pythia-160m');
    workbench.service = next;
    expect([models.facts(small!).bytes, models.facts(large!).description.value?.layers]).toEqual([14_320_712, 32]);
    const described = vi.spyOn(next, 'describeModel');
    await models.load();
    expect(models.facts(added).description.value?.family).toBe('gpt_neox');
    expect(described.mock.calls).toEqual([['/data/pythia-160m']]);
  });

  it('leaves the list of projects to the host, which tells of every change', async () => {
    const { models, toasts, service } = await open('full');
    const projects = vi.spyOn(service, 'projects');
    await models.remove(models.list![1]!);
    toasts.actOnNewest();
    await vi.waitFor(() => expect(models.list).toHaveLength(3));
    await models.add(['/data/new']);
    await vi.waitFor(() => expect(models.list).toHaveLength(4));
    expect(projects).not.toHaveBeenCalled();
  });

  it('takes back over the line there is then', async () => {
    const { models, toasts, service, workbench } = await open('full');
    await models.remove(models.list![1]!);
    const removed = toasts.shown.at(-1)!.id;
    await models.add(['/data/new']);
    const added = toasts.shown.at(-1)!.id;
    const cut = () => Promise.reject(new HopscopeError('Disconnected', 'The line is down.', 'failure'));
    workbench.service = { ...service };
    Object.assign(service, { restoreModel: cut, removeModel: cut, models: cut });
    await toasts.act(removed);
    expect(models.list).toHaveLength(4);
    await toasts.act(added);
    expect([models.list?.length, toasts.shown]).toEqual([3, []]);
  });

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

it('a scan marks what cannot be used and chooses it no more', async () => {
  const scan = new FolderScan();
  const service = createFakeService('empty');
  service.describeModel = async (path) => {
    if (path === '/data/gpt2') throw new HopscopeError('ShardMissing', 'A file is not there.');
    return fakeModel;
  };
  const found = await service.scanModels('/data', 'x');
  const empty = { path: '/data/config-only', name: 'config-only', bytes: 0 };
  service.scanModels = async () => ({ ...found, models: [...found.models, empty] });
  await scan.start(service, '/data', new Set());
  expect([...scan.chosen]).toEqual(['/data/pythia-160m']);
  expect([...scan.problems].map(([path, { code }]) => [path, code])).toEqual([['/data/gpt2', 'ShardMissing']]);
  expect(scan.unread).toBe(0);
  scan.stop();
  expect(scan.problems.size).toBe(0);
});

it('a token that is the space alone is known, however it is written', () => {
  const spaces = [
    { token: '▁', text: ' ' },
    { token: 'Ġ', text: '' },
    { token: '<0x20>', text: ' ' },
    { token: ' ', text: ' ' },
  ];
  expect(spaces.map(isSpaceOnly)).toEqual([true, true, true, true]);
  expect(
    [
      { token: 'ĠParis', text: ' Paris' },
      { token: '<s>', text: '' },
    ].map(isSpaceOnly),
  ).toEqual([false, false]);
});

it('a scan chooses what it finds, but not what the project has', async () => {
  const scan = new FolderScan();
  const service = createFakeService('empty');
  service.describeModel = async () => fakeModel;
  await scan.start(service, '/data', new Set(['/data/gpt2']));
  expect([...scan.chosen]).toEqual(['/data/pythia-160m']);
  scan.choose('/data/pythia-160m', false);
  expect(scan.chosen.size).toBe(0);
  scan.stop();
  expect(scan.request.value).toBeNull();
});

it('dropped folders have paths in a window and none in a browser', () => {
  const transfer = { files: [{ name: 'gpt2' }] } as unknown as DataTransfer;
  const shell = { chooseFolder: async () => null, pathOfFile: () => '/data/gpt2', showFolder: async () => {} };
  expect(droppedPaths(shell, transfer)).toEqual(['/data/gpt2']);
  expect(droppedPaths(null, transfer)).toEqual([]);
  expect(droppedPaths(null, null)).toEqual([]);
});

describe('arrangeModels', () => {
  const listed = (id: number, name: string, values: Partial<ListedModel> = {}): ListedModel => ({
    model: { id, name, path: `/models/${name}`, added: null },
    family: 'llama',
    dtype: 'float32',
    parameters: null,
    bytes: null,
    isBroken: false,
    ...values,
  });
  const list = [
    listed(0, 'Small world', { parameters: 1e6 }),
    listed(1, 'llama-10', { parameters: 8e9, dtype: 'bfloat16' }),
    listed(2, 'llama-9', { isBroken: true, family: null }),
    listed(3, 'gpt2', { parameters: 1e8, family: 'gpt2' }),
  ];
  const all: ModelQuery = { text: '', onlyBroken: false, by: 'added', descending: false };
  const names = (query: Partial<ModelQuery>) => arrangeModels(list, { ...all, ...query }).map(({ model }) => model.name);

  it('filters by words in name, path, family and number type', () => {
    expect(names({ text: 'MODELS llama' })).toEqual(['Small world', 'llama-10', 'llama-9']);
    expect(names({ text: 'bfloat16' })).toEqual(['llama-10']);
    expect(names({ onlyBroken: true })).toEqual(['llama-9']);
    expect(names({ text: 'llama-10', onlyBroken: true })).toEqual([]);
  });

  it('sorts numbers in names as numbers, and unknown sizes last either way', () => {
    expect(names({ by: 'name' })).toEqual(['gpt2', 'llama-9', 'llama-10', 'Small world']);
    expect(names({ by: 'parameters', descending: true })).toEqual(['llama-10', 'gpt2', 'Small world', 'llama-9']);
    expect(names({ by: 'parameters' })).toEqual(['Small world', 'gpt2', 'llama-10', 'llama-9']);
    expect(list.map(({ model }) => model.id)).toEqual([0, 1, 2, 3]);
  });
});

it('a folder that is away keeps its place; what is wrong with others is said as it is', () => {
  expect(isAway('ModelNotFound')).toBe(true);
  expect(folderAdvice({ code: 'ModelNotFound', message: 'There is no folder /disk/llama.', kind: 'input' })).toContain(
    'keeps its place',
  );
  const damaged = { code: 'BadJson', message: 'config.json ends early.', kind: 'input' } as const;
  expect([isAway(damaged.code), folderAdvice(damaged)]).toEqual([false, 'config.json ends early.']);
  expect(folderProblem('NeverHeardOf')).toBe('The folder cannot be used');
});
