/** Parts of the run screen: captions, predictions, the log, one item's history; pausing and notes as state; the density of PNG files. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { sealedText } from '../../src-main/shared/prediction-seal.ts';
import type { RunDetail } from '../../src-main/shared/records.ts';
import { withDensity, withTexts } from '../../src-renderer/figures/png.ts';
import { figureSvg } from '../../src-renderer/figures/svg.ts';
import { conditionTable, itemFigure, itemMaps, itemStages } from '../../src-renderer/measures/item-history.ts';
import {
  agreementWords,
  effectWords,
  isIntact,
  judge,
  predictionWords,
  readPrediction,
  readSeal,
} from '../../src-renderer/measures/prediction.ts';
import { itemTokens } from '../../src-renderer/measures/results.ts';
import { runLog } from '../../src-renderer/measures/run-log.ts';
import { itemAddress, matchAddress } from '../../src-renderer/state/router.svelte.ts';
import { RunView } from '../../src-renderer/state/run.svelte.ts';
import { Wizard } from '../../src-renderer/state/wizard.svelte.ts';
import { captionOf } from '../../src-renderer/text/caption.ts';
import { fakeLines } from './fake-figures.ts';
import { createFakeService } from './fake-host.ts';
import { fakeEvaluation, fakeSets } from './fake-rows.ts';

const service = createFakeService('full');
const finished = () => service.run('run-finished');

describe('a caption', () => {
  it('says model, data, seeds, date and run', async () => {
    const run = { ...(await finished()), finished: '2026-11-22T23:30:00.000Z' };
    expect(captionOf([run])).toBe(
      'Model small-world (3f6c1a54b1c0); data first-hop (98a1d0c6b2f8); seeds 0 to 2. Run run-finished, 2026-11-22.',
    );
  });

  it('says what several runs do not share', async () => {
    const run = await finished();
    const one: RunDetail = {
      ...run,
      run: 'a',
      created: '2026-11-20T01:00:00Z',

      dataset: 'mine, version 3',
      provenance: null,
    };
    const other: RunDetail = {
      ...one,
      run: 'b',
      created: '2026-11-22T01:00:00Z',
      spec: { ...run.spec, seeds: [4] },
      model: '/data/llama/',
    };
    expect(captionOf([one, other])).toBe(
      'Models small-world, llama; data mine, version 3; seeds 0 to 2 or seed 4. 2 runs: a, b, 2026-11-20 to 2026-11-22.',
    );
    const many = Array.from({ length: 9 }, (_, index) => ({ ...one, run: `r${index}` }));
    const letters = many.map((_, place) => 'ABCDEFGHI'[place]!);
    expect(captionOf(many, { letters })).toContain('9 runs: A r0, B r1, C r2, D r3, E r4, F r5, G r6, H r7, I r8, ');
    // What is shown may be less than what was run
    expect(captionOf([one], { seeds: [0] })).toContain('; seed 0. ');
    expect(captionOf([])).toBe('');
  });

  it('is in the file, below the drawing where that is asked for', () => {
    const hidden = figureSvg(fakeLines, { provenance: 'Model m; data d. Run r, 2026-11-22.' });
    const shown = figureSvg(fakeLines, { provenance: 'Model m; data d. Run r, 2026-11-22.', captioned: true });
    expect(hidden.text).toContain('Run r, 2026-11-22.</desc>');
    expect(hidden.text).not.toMatch(/<text[^>]*>[^<]*Run r/);
    expect(shown.text).toMatch(/<text[^>]*>[^<]*Run r/);
    expect(shown.height).toBeGreaterThan(hidden.height);
    expect(hidden.text).toContain('width="85mm"');
    expect(figureSvg(fakeLines, { size: 'page' }).text).toContain('width="178mm"');
  });
});

it('a PNG is placed at its width on paper', () => {
  const png = Uint8Array.from({ length: 60 }, (_, index) => index);
  const dense = withDensity(png);
  expect(dense).toHaveLength(81);
  expect([...dense.subarray(0, 33), ...dense.subarray(54)]).toEqual([...png]);
  const view = new DataView(dense.buffer);
  // 1020 pixels on 85 mm
  expect([view.getUint32(33), view.getUint32(41), view.getUint32(45), dense[49]]).toEqual([9, 12_000, 12_000, 1]);
  // CRC-32 of pHYs, 12000, 12000, 1, as zlib computes it
  expect(view.getUint32(50)).toBe(0x0f0ed7e1);
});

it('a PNG says what it shows, in any letters', () => {
  const png = Uint8Array.from({ length: 60 }, (_, index) => index);
  const told = withTexts(png, { Title: 'Ranks', Description: 'facts → implications' });
  const latin = (from: number, to: number) => String.fromCharCode(...told.subarray(from, to));
  expect(latin(37, 52)).toBe('tEXtTitle\0Ranks');
  // Letters beyond Latin-1 need an iTXt chunk in UTF-8: 12 bytes of the first chunk around its 11 of text
  expect(latin(33 + 12 + 11 + 4, 33 + 12 + 11 + 8)).toBe('iTXt');
  const start = 33 + 12 + 11 + 8;
  const length = new DataView(told.buffer).getUint32(start - 8);
  expect(new TextDecoder().decode(told.subarray(start, start + length))).toBe('Description\0\0\0\0\0facts → implications');
  // CRC-32 of the first chunk's type and data, as zlib computes it
  expect(new DataView(told.buffer).getUint32(33 + 8 + 11)).toBe(crc32('tEXtTitle\0Ranks'));
  expect([...told.subarray(start + length + 4)]).toEqual([...png.subarray(33)]);
});

describe('a prediction', () => {
  const prediction = { set: 'implications', comparison: 'at most', threshold: 2, text: 'It generalizes.' } as const;
  const rows = [0, 1, 2].flatMap((seed) => [0, 12].map((epoch) => fakeEvaluation(fakeSets()[1]!, seed, epoch)));

  it('is met or not by the mean over seeds at the end of the main training', () => {
    expect(judge(prediction, rows, 'finished')).toMatchObject({ outcome: 'met' });
    expect(judge({ ...prediction, comparison: 'at least' }, rows, 'finished').outcome).toBe('not met');
    expect(judge(prediction, rows, 'finished').why).toContain(
      'mean rank of 0.00 over 3 seeds (range of 3 seeds, 0.00 to 0.00), against at most 2.',
    );
    const later = rows.map((row) => ({ ...row, stage: 'later', meanRank: 9 }));
    expect(judge(prediction, [...rows, ...later], 'finished').outcome).toBe('met');
    // The training of the run's outcome decides
    expect(judge(prediction, [...rows, ...later], 'finished', 'later')).toMatchObject({
      outcome: 'not met',
      decisive: { stage: 'later' },
      others: [{ met: true }],
    });
    const spread = rows.map((row) => ({ ...row, meanRank: row.epoch === 0 ? 9 : 1 + row.seed }));
    expect(judge(prediction, spread, 'finished').why).toContain('more seeds may decide otherwise');
  });

  it('is judged over all seeds, with those that disagree, the distance in ranks and in deviations, and other trainings aside', () => {
    const spread = rows.map((row) => ({ ...row, meanRank: row.epoch === 0 ? 9 : [1, 1.5, 2.6][row.seed]! }));
    const later = spread.map((row) => ({ ...row, stage: 'late_frozen', meanRank: row.meanRank + 3 }));
    const { outcome, decisive, others } = judge(prediction, [...spread, ...later], 'finished');
    expect(outcome).toBe('met');
    expect(decisive!.seeds.map(({ agrees }) => agrees)).toEqual([true, true, false]);
    expect(agreementWords(decisive!)).toBe('2 of 3 seeds agree with the prediction; not seed 2 (2.60).');
    // mean 1.7; deviations -0.7, -0.2, 0.9: s = sqrt(1.34 / 2) = 0.8185; 0.3 / 0.8185 = 0.367
    expect(effectWords(decisive!, 2)).toBe(
      'The mean lies 0.30 ranks below the threshold, 0.367 standard deviations of the seeds.',
    );
    expect(others).toMatchObject([{ stage: 'late_frozen', met: false }]);
    expect(agreementWords(others[0]!)).toBe('0 of 3 seeds agree with the prediction.');
    const one = judge(
      prediction,
      spread.filter(({ seed }) => seed === 0),
      'finished',
    ).decisive!;
    expect([agreementWords(one), effectWords(one, 2)]).toEqual([
      '1 of 1 seed agrees with the prediction.',
      'The mean lies 1.00 ranks below the threshold.',
    ]);
    expect(effectWords(one, 1)).toBe('The mean lies at the threshold.');
    // 0.1 + 0.2 is not above 0.3
    const rounded = rows.map((row) => ({ ...row, meanRank: 0.1 + 0.2 }));
    expect(judge({ ...prediction, threshold: 0.3 }, rounded, 'finished').outcome).toBe('met');
  });

  it('is known to be unchanged by its seal', async () => {
    const time = '2026-11-22T10:00:00.000Z';
    const hash = createHash('sha256')
      .update(sealedText('run-1', time, prediction))
      .digest('hex');
    const stored = { ...prediction, seal: { time, hash } };
    expect(readPrediction(stored)).toEqual(prediction);
    expect(readSeal(stored)).toEqual({ time, hash });
    expect(await isIntact('run-1', stored)).toBe(true);
    expect(await isIntact('run-2', stored)).toBe(false);
    expect(await isIntact('run-1', { ...stored, threshold: 3 })).toBe(false);
    expect([readSeal({ ...prediction }), readSeal({ ...prediction, seal: 3 }), await isIntact('run-1', null)]).toEqual([
      null,
      null,
      false,
    ]);
  });

  it('stays open until the run has finished, without a number, and without the list', () => {
    expect(judge(prediction, rows, 'running').why).toContain('when the run has finished');
    expect(judge(prediction, rows, 'stopped').why).toContain('did not finish');
    expect(judge({ ...prediction, threshold: null }, rows, 'finished').outcome).toBe('open');
    expect(judge({ ...prediction, set: 'both' }, rows, 'finished').why).toContain('did not measure both');
  });

  it('is read back as it was stored, and nothing else is', () => {
    expect(readPrediction({ ...prediction })).toEqual(prediction);
    expect(predictionWords(prediction)).toBe('implications end at a mean rank of at most 2');
    for (const other of [null, 3, [], {}, { ...prediction, comparison: 'about' }]) expect(readPrediction(other)).toBeNull();
  });

  it('is asked for by the wizard, stored with the run, and never taken from an earlier one', async () => {
    const wizard = new Wizard();
    wizard.begin('ocr', { model: 'small-world' });
    wizard.load(service);
    await vi.waitFor(() => expect(wizard.experiment?.id).toBe('ocr'));
    for (let step = 0; step < 4; step++) expect(await wizard.next(service)).toBe(true);
    await vi.waitFor(() => expect(wizard.prediction.sets).toEqual(['implications', 'facts']));
    expect(wizard.prediction.value).toBeNull();
    wizard.prediction.draft = { ...wizard.prediction.draft, threshold: 'two' };
    expect(await wizard.next(service)).toBe(false);
    expect(wizard.prediction.problem).toMatch(/mean rank/);
    wizard.prediction.draft = { ...wizard.prediction.draft, threshold: '2', text: ' It generalizes. ' };
    expect(await wizard.next(service)).toBe(true);
    const run = await wizard.startRun(service, 1);
    expect(readPrediction((await service.run(run!)).prediction)).toEqual(prediction);
    wizard.begin('ocr', { model: 'small-world' });
    expect(wizard.prediction.value).toBeNull();
  });
});

describe('an item', () => {
  it('has its rank by epoch and seed, and what each condition left of it', async () => {
    const set = fakeSets()[1]!;
    const evaluations = await service.evaluations('run-layer-freezing', { items: true });
    const stages = itemStages(evaluations, set, 3);
    const figure = itemFigure(stages, set)!;
    expect(figure.series.map(({ label, x }) => [label, x.length])).toEqual([
      ['nothing frozen', 13],
      ['early layers frozen', 13],
      ['late layers frozen', 13],
    ]);
    const stored = evaluations.filter((row) => row.set === 'implications' && row.stage === 'nothing frozen' && row.epoch === 5);
    expect(figure.series[0]!.y[5]!.values).toEqual(stored.map(({ items }) => items[3]!.rank));
    const table = conditionTable(stages)!;
    expect(table.rows).toHaveLength(4);
    // Weights that were only evaluated have no rank before
    expect(table.rows[3]![1]).toBeNull();
    const { logits } = stored[0]!.items[3]!;
    expect(stages[0]!.lines[0]!.points[5]!.margin).toBeCloseTo(
      logits[set.answers[3]!]! - Math.max(...logits.filter((_, index) => index !== set.answers[3])),
      12,
    );
    expect(conditionTable(stages.slice(0, 1))).toBeNull();
    expect(itemFigure([], set)).toBeNull();
  });

  it('has a map for each kind of score, attention summed over heads, with its tokens where they are known', async () => {
    const rows = await service.scores('run-extractive-scores', { seed: 0, point: 3 });
    const maps = itemMaps(rows, 'implications', itemTokens({ item_tokens: [[], [], [], ['The', ' people']] }, 'implications', 3));
    const upstream = maps.find(({ id }) => id === 'item-upstream')!;
    expect(maps.length).toBeGreaterThan(2);
    expect(upstream.panels.map(({ title }) => title)).toEqual(['MLP', 'Attention']);
    expect(upstream.columns.names.slice(0, 3)).toEqual(['The', 'people', '2']);
    const attention = rows.find(({ name }) => name === 'upstream.attn')!;
    const [, heads, tokens] = attention.shape as [number, number, number];
    let summed = 0;
    for (let head = 0; head < heads; head++) summed += attention.values[(2 * heads + head) * tokens + 3]!;
    expect(upstream.panels[1]!.values[2]![3]).toBeCloseTo(summed, 12);
    expect(itemMaps(rows, 'facts', [])).toEqual([]);
    expect(itemTokens(null, 'facts', 0)).toEqual([]);
  });

  it('has an address that survives any list name', () => {
    const address = itemAddress('run 1', 'left, assignment 1/2', 4);
    expect(matchAddress('/runs/:run/items/:set/:item', address)).toEqual({
      run: 'run 1',
      set: 'left, assignment 1/2',
      item: '4',
    });
  });
});

describe('the log', () => {
  it('tells begin and end, every training, warnings and the error', async () => {
    const run = await service.run('run-failed');
    const entries = runLog(
      {
        ...run,
        started: '2026-11-22T10:00:05Z',
        created: '2026-11-22T10:00:00Z',
        finished: '2026-11-22T10:01:00Z',
        warnings: ['Careful.'],
      },
      await service.steps('run-failed'),
      await service.evaluations('run-failed'),
    );
    expect(entries.map(({ kind }) => kind)).toEqual(['event', 'event', 'event', 'warning', 'stage', 'error', 'event']);
    expect(entries[1]!.took).toBe('waited 5 s');
    expect(entries[4]!.text).toMatch(/^finetune, seed 0: 18 steps, loss .* to .*; facts at .*; implications at /);
    expect(entries[5]!.text).toContain('NotFinite');
  });

  it('tells when a run was halted and went on, or never did', async () => {
    const run = await finished();
    const pauses = [
      { begun: '2026-11-22T10:00:00Z', ended: '2026-11-22T10:00:42Z' },
      { begun: '2026-11-22T10:05:00Z', ended: null },
    ];
    const entries = runLog({ ...run, finished: '2026-11-22T10:06:00Z', pauses }, [], []);
    expect(entries.slice(-4).map(({ time, text, took }) => [time, text, took])).toEqual([
      ['2026-11-22T10:00:00Z', 'Paused', ''],
      ['2026-11-22T10:00:42Z', 'Resumed', '42 s paused'],
      ['2026-11-22T10:05:00Z', 'Paused', ''],
      ['2026-11-22T10:06:00Z', 'Ended, finished', expect.any(String)],
    ]);
  });
});

describe('a live run', () => {
  it('has the notes that were stored here, not those of a fetch that began before', async () => {
    const own = createFakeService('full');
    const view = new RunView('run-finished');
    await view.refresh(own);
    const figures = async (run: string) => {
      await view.saveNotes(own, 'look again', '');
      return own.figures(run);
    };
    await view.refresh({ ...own, figures });
    expect(view.detail?.notes).toBe('look again');
    await view.refresh(own);
    expect(view.detail?.notes).toBe('look again');
  });

  it('knows its place, halts, goes on, and keeps notes', async () => {
    const own = createFakeService('full', 5);
    const waiting = new RunView('run-queued');
    const endWaiting = waiting.follow(own);
    await vi.waitFor(() =>
      expect(waiting.queue.map(({ run }) => run)).toEqual(['run-midway', 'run-ordering-live', 'run-queued']),
    );
    endWaiting();
    const view = new RunView('run-midway');
    const end = view.follow(own);
    await vi.waitFor(() => expect(view.queue.length).toBe(3));
    await view.setPaused(own, true);
    expect(view.queue[0]).toMatchObject({ run: 'run-midway', running: true, paused: true });
    await view.setPaused(own, false);
    expect(view.queue[0]?.paused).toBe(false);
    await view.saveNotes(own, 'look again', '');
    expect(view.detail?.notes).toBe('look again');
    await expect(view.saveNotes(own, 'mine', '')).rejects.toMatchObject({ code: 'NotesChanged' });
    expect([view.detail?.notes, view.error]).toEqual(['look again', null]);
    await vi.waitFor(() => expect(view.detail?.state).toBe('finished'), { timeout: 5000 });
    await view.setPaused(own, true);
    expect(view.error?.code).toBe('RunNotRunning');
    end();
  });
});
