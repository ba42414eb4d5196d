/** State classes over the fake host: a run followed to its end, the run list, the wizard, addresses, reconnection. */
import { describe, expect, it, vi } from 'vitest';
import type { Service } from '../../src-main/shared/contract.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { closeOnce } from '../../src-main/shared/ports.ts';
import type { RunSummary } from '../../src-main/shared/records.ts';
import type { Port } from '../../src-main/shared/rpc.ts';
import { Connection } from '../../src-renderer/state/connection.svelte.ts';
import { deleteRun, deleteRuns } from '../../src-renderer/state/delete-run.ts';
import { follow } from '../../src-renderer/state/follow.ts';
import { readKeptWizard, removeKeptWizard, writeKeptWizard } from '../../src-renderer/state/kept-wizard.ts';
import { Request } from '../../src-renderer/state/request.svelte.ts';
import { matchAddress, readAddress, runAddress } from '../../src-renderer/state/router.svelte.ts';
import { RunView } from '../../src-renderer/state/run.svelte.ts';
import { RunChoice } from '../../src-renderer/state/run-choice.svelte.ts';
import { filterOf, newestFirst, readRunChoices, runsAddress, sortedBy } from '../../src-renderer/state/run-filter.ts';
import { RunList } from '../../src-renderer/state/runs.svelte.ts';
import { Toasts } from '../../src-renderer/state/toasts.svelte.ts';
import { Wizard } from '../../src-renderer/state/wizard.svelte.ts';
import { createFakeService } from './fake-host.ts';

describe('RunView', () => {
  it('follows a run to its end with every row', async () => {
    const service = createFakeService('empty', 5);
    const { run } = await service.startRun({
      experiment: 'ocr',
      model: 'small-world',
      dataset: 'first-hop',
      epochs: 4,
      seeds: [0, 1],
    });
    const view = new RunView(run);
    const end = view.follow(service);
    await vi.waitFor(() => expect(view.detail?.state).toBe('finished'), { timeout: 5000 });
    // Rows are complete in the same moment as the state says finished.
    expect(view.seeds).toEqual([0, 1]);
    expect(view.rankCurves.map((curve) => [curve.set, curve.mean.length])).toEqual([
      ['facts', 5],
      ['implications', 5],
    ]);
    expect(view.standing('facts')).toMatchObject({ epoch: 4, seeds: 2 });
    expect(view.measured.every((row) => row.items.length === 20)).toBe(true);
    expect(view.lossCurve.mean).toHaveLength(12);
    expect([view.plannedEpochs, view.plannedSeeds, view.live]).toEqual([4, 2, false]);
    end();
  });

  it('says why a run cannot be read, but not that the line is down', async () => {
    const view = new RunView('nowhere');
    const end = view.follow(createFakeService('empty'));
    await vi.waitFor(() => expect(view.error?.code).toBe('RunNotFound'));
    end();
    const cut = new RunView('nowhere');
    const endCut = cut.follow({
      ...createFakeService('empty'),
      run: () => Promise.reject(new HopscopeError('Disconnected', '', 'failure')),
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(cut.error).toBeNull();
    endCut();
  });

  it('has the figures of a finished run, and the curves of every stage', async () => {
    const service = createFakeService('full');
    const view = new RunView('run-layer-freezing');
    const end = view.follow(service);
    await vi.waitFor(() => expect(view.figures.map(({ kind }) => kind)).toEqual(['bars']));
    expect(view.stageCurves.map(({ stage, trained }) => [stage, trained])).toEqual([
      ['nothing frozen', true],
      ['early layers frozen', true],
      ['late layers frozen', true],
      ['[only free layers kept: early frozen]', false],
    ]);
    expect(view.stageCurves[0]!.ranks.map(({ set, mean }) => [set, mean.length])).toEqual([
      ['facts', 13],
      ['implications', 13],
    ]);
    end();
    const live = new RunView('run-ordering-live');
    const endLive = live.follow(service);
    await vi.waitFor(() => expect(live.stageCurves).toHaveLength(6));
    expect(live.figures).toEqual([]);
    // Only the lists that a stage measured have a curve there.
    expect(live.stageCurves[0]!.ranks.map(({ set }) => set)).toEqual(['left, assignment 1', 'both, assignment 1']);
    endLive();
  });

  it('stops', async () => {
    const service = createFakeService('full');
    const view = new RunView('run-midway');
    const end = view.follow(service);
    await view.stop(service);
    await vi.waitFor(() => expect(view.detail?.state).toBe('stopped'));
    end();
  });
});

describe('RunList', () => {
  it('lists, filters, pages, has outcomes, and follows what is deleted and brought back', async () => {
    const service = createFakeService('full');
    const list = new RunList(4);
    const end = list.follow(service);
    await vi.waitFor(() => expect(list.runs).toHaveLength(4));
    expect(list.total).toBe(19);
    // The outcome comes with the run, as the run's own screen has it.
    const view = new RunView('run-finished');
    const endView = view.follow(service);
    await vi.waitFor(() => expect(view.standing('facts')).not.toBeNull());
    const { before, latest } = view.standing('facts')!;
    expect(list.runs!.find(({ run }) => run === 'run-finished')!.outcome!.lists.facts).toEqual({ first: before, last: latest });
    endView();
    list.more();
    await vi.waitFor(() => expect(list.runs).toHaveLength(8), { timeout: 2000 });
    list.ask({ search: 'FAILED' });
    await vi.waitFor(() => expect(list.runs?.map((run) => run.run)).toEqual(['run-failed']));
    // Deleted and brought back: the host tells, the list follows.
    const toasts = new Toasts();
    expect(await deleteRun({ service, toasts }, { run: 'run-failed', title: 'Failed one' })).toBe(true);
    await vi.waitFor(() => expect([list.runs, list.total]).toEqual([[], 0]), { timeout: 2000 });
    expect(toasts.shown.map(({ text }) => text)).toEqual(['Deleted “Failed one”.']);
    expect(toasts.actOnNewest()).toBe(true);
    await vi.waitFor(() => expect(list.total).toBe(1), { timeout: 2000 });
    expect(toasts.shown).toEqual([]);
    list.ask({ search: 'third llama', project: 1 });
    await vi.waitFor(() => expect(list.runs?.map((run) => run.run)).toEqual(['run-long']));
    list.ask({ project: 7 });
    await vi.waitFor(() => expect(list.runs).toEqual([]));
    end();
  });
});

describe('a long list', () => {
  /** A host with so many runs, and what it was asked for. */
  function longHost(count: number) {
    const fake = createFakeService('empty');
    const asked: [offset: number, limit: number][] = [];
    const runs = Array.from({ length: count }, (_, place) => ({ run: `run-${place}`, title: `${place}` }) as RunSummary);
    const service: Service = {
      ...fake,
      async runs(query) {
        const { offset = 0, limit = 0, sort } = query ?? {};
        asked.push([offset, limit]);
        const all = sort?.descending === false ? [...runs].reverse() : runs;
        return { runs: all.slice(offset, offset + limit), total: all.length };
      },
    };
    return { service, asked, runs };
  }

  it('is fetched where it is looked at, in whole pages, and nowhere else', async () => {
    const { service, asked } = longHost(1000);
    const list = new RunList(100);
    const end = list.follow(service);
    await vi.waitFor(() => expect(list.total).toBe(1000));
    list.show(480, 30);
    await vi.waitFor(() => expect(list.at(509)?.run).toBe('run-509'));
    list.show(940, 60);
    await vi.waitFor(() => expect(list.at(999)?.run).toBe('run-999'));
    expect(asked).toEqual([
      [0, 100],
      [400, 200],
      [900, 100],
    ]);
    expect([list.at(300), list.runs?.length]).toEqual([null, 100]);
    list.ask({ sort: { by: 'created', descending: false } });
    await vi.waitFor(() => expect(list.at(0)?.run).toBe('run-999'));
    expect(list.at(480)).toBeNull();
    end();
  });

  it('that shrinks does not keep asking for what is gone', async () => {
    const { service, asked, runs } = longHost(250);
    const list = new RunList(100);
    const end = list.follow(service);
    await vi.waitFor(() => expect(list.total).toBe(250));
    runs.length = 150;
    list.show(190, 30);
    await vi.waitFor(() => expect(list.total).toBe(150));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked.length).toBeLessThan(4);
    end();
  });

  it('lets runs be chosen one by one, from one to another, and all, fetched or not', async () => {
    const { service } = longHost(2300);
    const list = new RunList(100);
    const end = list.follow(service);
    await vi.waitFor(() => expect(list.total).toBe(2300));
    const choice = new RunChoice();
    choice.toggle(list.at(7)!, 7);
    await choice.extend(list, 5);
    expect(choice.names).toEqual(['run-7', 'run-5', 'run-6']);
    await choice.extend(list, 309);
    expect([choice.size, choice.has('run-309'), choice.has('run-310')]).toEqual([305, true, false]);
    choice.leave(['run-5', 'run-6']);
    choice.toggle(list.at(7)!, 7);
    expect(choice.size).toBe(302);
    await choice.all(list);
    expect(choice.size).toBe(2300);
    choice.none();
    expect(choice.names).toEqual([]);
    end();
  });

  it('is deleted from with one notice, which says what was kept', async () => {
    const service = createFakeService('full');
    const toasts = new Toasts();
    const deleted = await deleteRuns({ service, toasts }, ['run-finished', 'run-midway', 'run-failed']);
    expect(deleted).toEqual(['run-finished', 'run-failed']);
    expect(toasts.shown.map(({ text }) => text)).toEqual(['Deleted 2 runs. 1 run under way was kept: stop it first.']);
    expect((await service.runs({ limit: 50, offset: 0 })).total).toBe(17);
    await toasts.act(toasts.shown[0]!.id);
    expect((await service.runs({ limit: 50, offset: 0 })).total).toBe(19);
    expect(await deleteRuns({ service, toasts }, ['run-midway'])).toEqual([]);
    expect(toasts.shown.map(({ text, action }) => [text, action])).toEqual([
      ['1 run under way was kept: stop it first.', undefined],
    ]);
  });
});

it('a filter and an order are kept in the address', () => {
  const standard = { text: '', state: '', everywhere: false, sort: newestFirst } as const;
  expect(runsAddress(standard)).toBe('/runs');
  expect(readRunChoices(new URLSearchParams())).toEqual(standard);
  const chosen = { text: 'a & b', state: 'failed', everywhere: true, sort: { by: 'facts', descending: true } } as const;
  const [, query] = runsAddress(chosen).split('?');
  expect(readRunChoices(new URLSearchParams(query))).toEqual(chosen);
  expect(readRunChoices(new URLSearchParams('state=odd&sort=toString&order=up'))).toEqual({
    ...standard,
    sort: { by: 'created', descending: false },
  });
  expect(filterOf(chosen, 3)).toEqual({ search: 'a & b', state: 'failed', sort: { by: 'facts', descending: true } });
  expect(sortedBy(newestFirst, 'seconds')).toEqual({ by: 'seconds', descending: true });
  expect(sortedBy({ by: 'title', descending: false }, 'title')).toEqual({ by: 'title', descending: true });
});

describe('Wizard', () => {
  async function opened(service: Service): Promise<Wizard> {
    const wizard = new Wizard();
    wizard.begin('ocr', { model: 'small-world' });
    wizard.load(service);
    await vi.waitFor(() => expect(wizard.experiment?.id).toBe('ocr'));
    return wizard;
  }

  it('goes from question to a started run with the defaults', async () => {
    const service = createFakeService('empty');
    const wizard = await opened(service);
    for (const step of ['Model', 'Data', 'Settings', 'Prediction', 'Review']) {
      expect(await wizard.next(service)).toBe(true);
      expect(wizard.step).toBe(step);
    }
    await vi.waitFor(() => expect(wizard.preview.value?.cost.steps).toBe(108));
    const run = await wizard.startRun(service);
    expect((await service.run(run!)).spec).toEqual({
      experiment: 'ocr',
      model: 'small-world',
      dataset: 'first-hop',
      epochs: 12,
      lr: 0.0003,
      seeds: [0, 1, 2],
      batch_size: 8,
      trainable: 'all',
      device: 'auto',
    });
  });

  it('stays where something is wrong and says what', async () => {
    const service = createFakeService('empty');
    const wizard = await opened(service);
    await wizard.next(service);
    wizard.setDraft(wizard.modelParameter!, '/nowhere');
    expect(await wizard.next(service)).toBe(false);
    expect([wizard.step, wizard.model.error?.code]).toEqual(['Model', 'ModelNotFound']);
    wizard.setDraft(wizard.modelParameter!, '');
    expect(await wizard.next(service)).toBe(false);
    expect(wizard.problem(wizard.modelParameter!)).toMatch(/folder/);
    wizard.setDraft(wizard.modelParameter!, 'small-world');
    await wizard.next(service);
    await wizard.next(service);
    const epochs = wizard.settings.find((entry) => entry.name === 'epochs')!;
    wizard.setDraft(epochs, '0');
    expect(wizard.problem(epochs)).toBeNull();
    expect(await wizard.next(service)).toBe(false);
    expect([wizard.step, wizard.problem(epochs)]).toEqual(['Settings', 'Between 1 and 1,000.']);
  });

  it('begins with the values of an earlier run', async () => {
    const service = createFakeService('empty');
    const wizard = await opened(service);
    wizard.begin('ocr', {
      experiment: 'ocr',
      model: 'small-world',
      dataset: 'second-hop',
      seeds: [4],
      trainable: { layers: [0, 1] },
      lr: 1e-5,
    });
    expect(wizard.spec).toMatchObject({ dataset: 'second-hop', seeds: [4], trainable: { layers: [0, 1] }, lr: 1e-5 });
  });

  it('shows the defaults of the chosen model and leaves them to the host', async () => {
    const service = createFakeService('empty');
    const wizard = await opened(service);
    const lr = wizard.settings.find((entry) => entry.name === 'lr')!;
    expect(wizard.draft(lr)).toBe('3e-4');
    wizard.setDraft(wizard.modelParameter!, '/data/models/llama');
    expect(wizard.draft(lr)).toBe('3e-6');
    expect(wizard.spec).toEqual({ experiment: 'ocr', model: '/data/models/llama', dataset: 'first-hop' });
    // A folder may be a small world too: the host knows, and what it fills in is shown.
    const preview = await service.preview({ experiment: 'ocr', model: 'small-world', dataset: 'first-hop' });
    await wizard.askPreview({ ...service, preview: async () => preview });
    expect(wizard.draft(lr)).toBe('3e-4');
    wizard.setDraft(lr, '1e-4');
    expect(wizard.spec?.lr).toBe(1e-4);
    wizard.reset(lr);
    expect(wizard.spec?.lr).toBeUndefined();
  });

  it('names the setting that the host refuses, and does not go on with it', async () => {
    const service = createFakeService('empty');
    const wizard = await opened(service);
    for (let step = 0; step < 3; step++) await wizard.next(service);
    const orders = wizard.settings.find((entry) => entry.name === 'orders')!;
    wizard.setDraft(orders, '[[[0, 99]]]');
    const refusing = {
      ...service,
      preview: () => Promise.reject(new HopscopeError('BadOrder', 'orders: 99 is out of range.')),
    };
    expect(await wizard.next(refusing)).toBe(false);
    expect([wizard.step, wizard.problem(orders)]).toEqual(['Settings', '99 is out of range.']);
    expect(wizard.refusal?.message).toBe('Batches by index: 99 is out of range.');
    expect(wizard.troubled.map(({ name }) => name)).toEqual(['orders']);
    wizard.reset(orders);
    expect(wizard.problem(orders)).toBeNull();
    expect(await wizard.next(service)).toBe(true);
  });

  it('keeps what was chosen and goes on there', async () => {
    const service = createFakeService('empty');
    const wizard = await opened(service);
    expect(wizard.kept).toBeNull();
    for (let step = 0; step < 3; step++) await wizard.next(service);
    wizard.setDraft(wizard.settings.find((entry) => entry.name === 'epochs')!, '77');
    wizard.prediction.draft = { ...wizard.prediction.draft, threshold: '2' };
    const storage = new Map<string, string>();
    const keeper = {
      getItem: (key: string) => storage.get(key) ?? null,
      setItem: (key: string, text: string) => void storage.set(key, text),
      removeItem: (key: string) => void storage.delete(key),
    };
    writeKeptWizard(keeper, 1, 'ocr', wizard.kept!);
    expect([readKeptWizard(keeper, 2, 'ocr'), readKeptWizard(keeper, 1, 'emergence')]).toEqual([null, null]);
    const again = await opened(service);
    again.resume('ocr', readKeptWizard(keeper, 1, 'ocr')!);
    expect([again.step, again.spec?.epochs, again.prediction.value?.threshold]).toEqual(['Settings', 77, 2]);
    again.begin('ocr');
    expect([again.step, again.spec?.epochs, again.kept]).toEqual(['Question', undefined, null]);
    removeKeptWizard(keeper, 1, 'ocr');
    expect(readKeptWizard(keeper, 1, 'ocr')).toBeNull();
    for (const text of ['{', '[]', '{"step": 1}', '{"step": 1, "drafts": {"lr": 3}, "prediction": {}}']) {
      keeper.setItem('hopscope.wizard-draft.1.ocr', text);
      expect(readKeptWizard(keeper, 1, 'ocr')).toBeNull();
    }
  });

  it('bounds a predicted mean rank by the options of its list', async () => {
    const service = createFakeService('empty');
    const wizard = await opened(service);
    for (let step = 0; step < 4; step++) await wizard.next(service);
    await vi.waitFor(() => expect(wizard.prediction.options).toBeGreaterThan(1));
    const worst = wizard.prediction.options - 1;
    const expectRank = (threshold: number) => {
      wizard.prediction.draft = { ...wizard.prediction.draft, threshold: String(threshold) };
    };
    expectRank(worst);
    expect(wizard.prediction.problem).toBeNull();
    expectRank(1_000_000_000);
    expect(wizard.prediction.problem).toMatch(new RegExp(`from 0 to ${worst}\\b`));
    expect(await wizard.next(service)).toBe(false);
    expect(wizard.step).toBe('Prediction');
  });

  it('offers adapters five times the rate, until it is taken', async () => {
    const wizard = await opened(createFakeService('empty'));
    const trainable = wizard.settings.find(({ kind }) => kind === 'trainable')!;
    expect(wizard.adapterRate).toBeNull();
    for (const draft of ['lora', '{"lora":{"rank":4}}']) {
      wizard.setDraft(trainable, draft);
      expect(wizard.adapterRate).toMatchObject({ parameter: { name: 'lr' }, draft: '1.5e-3' });
    }
    wizard.setDraft(wizard.adapterRate!.parameter, '1.5e-3');
    expect(wizard.adapterRate).toBeNull();
  });

  it('knows that an experiment is not there', async () => {
    const service = createFakeService('empty');
    const wizard = new Wizard();
    wizard.begin('divination');
    wizard.load(service);
    await vi.waitFor(() => expect(wizard.unknownExperiment).toBe('divination'));
  });
});

describe('Request', () => {
  it('lets only the latest question answer', async () => {
    const request = new Request<string>();
    let answer: (value: string) => void = () => {};
    const slow = request.ask(() => new Promise((resolve) => (answer = resolve)));
    expect(await request.ask(async () => 'quick')).toBe('quick');
    answer('slow');
    expect(await slow).toBeNull();
    expect([request.value, request.waiting]).toEqual(['quick', false]);
  });
});

describe('follow', () => {
  it('never fetches twice at once, and never misses a change', async () => {
    let running = 0;
    let most = 0;
    let fetches = 0;
    const loop = follow(async () => {
      most = Math.max(most, ++running);
      fetches++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    }, 1);
    for (let index = 0; index < 50; index++) loop.changed();
    await vi.waitFor(() => expect(fetches).toBe(2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    loop.changed();
    await vi.waitFor(() => expect(fetches).toBe(3));
    loop.end();
    loop.changed();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([most, fetches]).toEqual([1, 3]);
  });
});

describe('addresses', () => {
  it('are read with their query, and anything else is home', () => {
    expect(readAddress('#/runs/a%20b/?tab=facts')).toMatchObject({ path: '/runs/a%20b' });
    expect(readAddress('#/new/ocr?model=small-world').query.get('model')).toBe('small-world');
    expect(readAddress('#t=secret').path).toBe('/');
    expect(readAddress('').path).toBe('/');
  });
  it('match patterns whole', () => {
    expect(matchAddress('/runs/:run', '/runs/a%2Fb')).toEqual({ run: 'a/b' });
    expect(matchAddress('/runs/:run', '/runs')).toBeNull();
    expect(matchAddress('/runs/:run', '/runs/')).toBeNull();
    expect(matchAddress('/', '/')).toEqual({});
    expect(matchAddress('/runs/:run', '/runs/%')).toEqual({ run: '%' });
    expect(runAddress('a/b')).toBe('/runs/a%2Fb');
  });
});

it('of chosen runs, those that the filter hides are told from those that are shown', async () => {
  const service = createFakeService('full');
  const { runs } = await service.runs({ limit: 100, offset: 0 });
  const failed = runs.filter(({ state }) => state === 'failed').map(({ run }) => run);
  const finished = runs.filter(({ state }) => state === 'finished').map(({ run }) => run);
  const list = new RunList(2);
  const end = list.follow(service);
  await vi.waitFor(() => expect(list.total).toBe(runs.length));
  const choice = new RunChoice();
  await choice.all(list);
  await choice.look(list);
  expect(choice.shown).toEqual(choice.names);
  list.ask({ state: 'failed' });
  await choice.look(list);
  expect([choice.size, choice.shown]).toEqual([runs.length, failed]);
  list.ask({ search: 'no run has these words' });
  await choice.look(list);
  expect([choice.size, choice.shown]).toEqual([runs.length, []]);
  list.ask({ state: 'finished' });
  await choice.look(list);
  expect([...choice.shown].sort()).toEqual([...finished].sort());
  choice.leave(choice.shown);
  expect([choice.size, choice.shown]).toEqual([runs.length - finished.length, []]);
  choice.none();
  await choice.look(list);
  expect(choice.shown).toEqual([]);
  end();
});

describe('Connection', () => {
  function port(): Port {
    const closing = closeOnce();
    return { post: () => {}, onMessage: () => {}, onClose: closing.listen, close: closing.close };
  }

  it('opens again after a loss and replaces the service', async () => {
    const ports = [port(), port()];
    let opened = 0;
    const connection = new Connection(async () => ports[opened++]!);
    expect(connection.state).toBe('connecting');
    await vi.waitFor(() => expect(connection.state).toBe('open'));
    const first = connection.service;
    ports[0]!.close();
    expect([connection.state, connection.service === first]).toEqual(['lost', true]);
    await vi.waitFor(() => expect(connection.state).toBe('open'), { timeout: 2000 });
    expect(connection.service).not.toBe(first);
  });

  it('does not try again with a token that is of an earlier start, but on request', async () => {
    vi.useFakeTimers();
    const first = port();
    let attempts = 0;
    const connection = new Connection(async () => {
      attempts++;
      if (attempts === 2) throw new HopscopeError('AddressChanged', 'Open the new address.', 'failure');
      return attempts === 1 ? first : port();
    });
    await vi.advanceTimersByTimeAsync(0);
    first.close();
    await vi.advanceTimersByTimeAsync(120_000);
    expect([attempts, connection.state, connection.error?.code]).toEqual([2, 'lost', 'AddressChanged']);
    connection.retryNow();
    await vi.advanceTimersByTimeAsync(0);
    expect([attempts, connection.state]).toEqual([3, 'open']);
    connection.retryNow();
    await vi.advanceTimersByTimeAsync(0);
    expect(attempts).toBe(3);
    vi.useRealTimers();
  });

  it('says why it failed, and tries once more on request', async () => {
    let attempts = 0;
    const connection = new Connection(async () => {
      if (++attempts === 1) throw new HopscopeError('NoHost', 'Nothing answered.', 'failure');
      return port();
    });
    await vi.waitFor(() => expect(connection.state).toBe('failed'));
    expect(connection.error?.code).toBe('NoHost');
    connection.retryNow();
    await vi.waitFor(() => expect(connection.state).toBe('open'));
  });
});
