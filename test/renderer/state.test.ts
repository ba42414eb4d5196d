/** State classes over the fake host: a run followed to its end, the run list, the wizard, addresses, reconnection. */
import { describe, expect, it, vi } from 'vitest';
import type { Service } from '../../src-main/shared/contract.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { closeOnce } from '../../src-main/shared/ports.ts';
import type { Port } from '../../src-main/shared/rpc.ts';
import { Connection } from '../../src-renderer/state/connection.svelte.ts';
import { deleteRun } from '../../src-renderer/state/delete-run.ts';
import { follow } from '../../src-renderer/state/follow.ts';
import { Request } from '../../src-renderer/state/request.svelte.ts';
import { matchAddress, readAddress, runAddress } from '../../src-renderer/state/router.svelte.ts';
import { RunView } from '../../src-renderer/state/run.svelte.ts';
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
  it('lists, filters, pages, derives outcomes, and follows what is deleted and brought back', async () => {
    const service = createFakeService('full');
    const list = new RunList(4);
    const end = list.follow(service);
    await vi.waitFor(() => expect(list.runs).toHaveLength(4));
    expect(list.total).toBe(19);
    await vi.waitFor(() => expect(list.outcome('run-finished')?.facts?.latest).toBeLessThan(0.1));
    expect(list.outcome('run-finished')?.facts?.before).toBeGreaterThan(3);
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

it('several trainings have no common outcome', async () => {
  const list = new RunList(30);
  const end = list.follow(createFakeService('full'));
  await vi.waitFor(() => expect(list.outcome('run-layer-freezing')).toEqual({ facts: null, implications: null }), {
    timeout: 5000,
  });
  end();
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
