/** The node-link circuit: which components it has, where they stand, what could influence what, marks with undo, files. */
import { describe, expect, it } from 'vitest';
import { circuitCsv, circuitSvg, drawCircuit } from '../../../src-renderer/circuit/drawing.ts';
import { changed, historyOf, redone, undone } from '../../../src-renderer/circuit/history.ts';
import { couldInfluence, edgesOf, layOut, nodeBeside } from '../../../src-renderer/circuit/layout.ts';
import {
  grouped,
  groupOf,
  noMarks,
  noted,
  readView,
  renamedGroup,
  type SavedView,
  togglePins,
  ungrouped,
  viewJson,
} from '../../../src-renderer/circuit/marks.ts';
import type { ScoreTable, ScoreTables } from '../../../src-renderer/circuit/scores.ts';
import {
  chosen,
  componentIn,
  countAbove,
  limitsOf,
  mostShown,
  placeOf,
  rankedComponents,
  type Scale,
  shareAt,
  thresholdFor,
} from '../../../src-renderer/circuit/selection.ts';
import { serialize } from '../../../src-renderer/figures/nodes.ts';
import { printStyle } from '../../../src-renderer/figures/style.ts';

const table = (layers: number, heads: number | null, tokens: number, values: number[]): ScoreTable => ({
  layers,
  heads,
  tokens,
  values,
});

/** Two layers, two tokens, two heads. */
const tables: ScoreTables = new Map([
  ['upstream.mlp', table(2, null, 2, [4, 0, 0, 0])],
  ['informative.mlp', table(2, null, 2, [1, 10, 0, 0])],
  ['downstream.mlp', table(2, null, 2, [0, 0, 0, -5])],
  ['downstream_nonstrict.mlp', table(2, null, 2, [0, 0, 0, 9])],
  ['upstream.attn', table(2, 2, 2, [0, 0, 0, 0, 0, 3, 0, -1])],
]);
const scale: Scale = { scale: 'shared', rule: 'strict', heads: true };
const limits = limitsOf(tables, scale);
const ranked = rankedComponents(tables, scale, limits);

describe('which components', () => {
  it('each once, by the score that is largest on a shared scale or on each kind’s own', () => {
    expect(ranked.map(({ key, role, strength }) => [key, role, strength])).toEqual([
      ['mlp.0.t1', 'informative', 1],
      ['mlp.1.t1', 'downstream', 0.5],
      ['mlp.0.t0', 'upstream', 0.4],
      ['attn.1.h0.t1', 'upstream', 0.3],
      ['attn.1.h1.t1', 'upstream', 0.1],
    ]);
    expect(ranked[2]!.scores).toEqual({ informative: 1, upstream: 4, downstream: 0 });
    const ownScale: Scale = { scale: 'own', heads: false, rule: 'nonstrict' };
    const own = rankedComponents(tables, ownScale, limitsOf(tables, ownScale));
    expect(own.filter(({ strength }) => strength === 1).map(({ key }) => key)).toEqual(['mlp.0.t0', 'mlp.0.t1', 'mlp.1.t1']);
    expect(own.at(-1)).toMatchObject({ key: 'attn.1.t1', scores: { upstream: 2 }, strength: 0.5 });
    expect(limitsOf(tables, { ...scale, scale: 'own' })).toEqual({ upstream: 4, informative: 10, downstream: 5 });
  });

  it('above a threshold, and pinned ones whatever they score', () => {
    expect([1.01, 1, 0.4, 0.05].map((threshold) => countAbove(ranked, threshold))).toEqual([0, 1, 3, 5]);
    const keys = ['attn.1.h1.t1', 'mlp.0.t1', 'mlp.1.t0', 'nonsense'];
    const pinned = keys.flatMap((key) => componentIn(tables, scale, limits, key) ?? []);
    const { shown, passing } = chosen(ranked, 0.5, pinned);
    expect(passing).toBe(2);
    expect(shown.map(({ key, strength }) => [key, strength])).toEqual([
      ['mlp.0.t1', 1],
      ['mlp.1.t1', 0.5],
      ['attn.1.h1.t1', 0.1],
      ['mlp.1.t0', 0],
    ]);
    expect(thresholdFor(ranked, 3)).toBe(0.4);
    expect(thresholdFor(ranked, 99)).toBe(0.1);
    expect(thresholdFor([], 3)).toBe(1);
  });

  it('the slider goes in even factors', () => {
    expect(shareAt(1)).toBe(1);
    expect(shareAt(0)).toBeCloseTo(0.005);
    for (const place of [0, 0.3, 1]) expect(placeOf(shareAt(place))).toBeCloseTo(place);
  });

  it('32 layers of 32 heads over 40 tokens take well under a second', () => {
    const size = 32 * 32 * 40;
    const values = Float64Array.from({ length: size }, (_, index) => Math.sin(index) ** 9);
    const large = new Map(
      ['upstream', 'informative', 'downstream'].map((kind) => [`${kind}.attn`, { layers: 32, heads: 32, tokens: 40, values }]),
    );
    const began = performance.now();
    const all = rankedComponents(large, scale, limitsOf(large, scale));
    const { shown } = chosen(all, 0.01, []);
    const { nodes, edges } = layOut(shown, { layers: 32, tokens: 40 });
    expect(performance.now() - began).toBeLessThan(1000);
    expect([all.length > 20_000, nodes.length, edges.length > 100]).toEqual([true, mostShown, true]);
  });
});

describe('where they stand and what could influence what', () => {
  const layout = layOut(ranked, { layers: 2, tokens: 2 });
  const at = (key: string) => layout.nodes.find((node) => node.key === key)!;

  it('later layers lie below, attention above its layer’s MLP, roles from left to right, heads beside each other', () => {
    expect(at('mlp.0.t0').y).toBeLessThan(at('attn.1.h0.t1').y);
    expect(at('attn.1.h0.t1').y).toBeLessThan(at('mlp.1.t1').y);
    expect(at('attn.1.h0.t1').x).toBeLessThan(at('attn.1.h1.t1').x);
    expect(at('attn.1.h1.t1').x).toBeLessThan(at('mlp.0.t1').x);
    expect(at('mlp.0.t1').x).toBeLessThan(at('mlp.1.t1').x);
    expect(at('mlp.0.t1').radius).toBeGreaterThan(at('mlp.1.t1').radius);
    const [first, second] = layout.columns;
    expect(at('mlp.0.t0').x).toBeLessThan(second!.x);
    expect(second!.x).toBe(first!.width);
    for (const { x, y } of layout.nodes) expect(x > 0 && x < layout.width && y > 0 && y < layout.height).toBe(true);
  });

  it('lines follow the order of computation and leave out what follows from others', () => {
    const lines = layout.edges.map(({ from, to }) => `${layout.nodes[from]!.key} ${layout.nodes[to]!.key}`).sort();
    expect(lines).toEqual([
      'attn.1.h0.t1 mlp.1.t1',
      'attn.1.h1.t1 mlp.1.t1',
      'mlp.0.t0 attn.1.h0.t1',
      'mlp.0.t0 attn.1.h1.t1',
      'mlp.0.t1 attn.1.h0.t1',
      'mlp.0.t1 attn.1.h1.t1',
    ]);
  });

  it('nothing acts backwards, nor across tokens into an MLP; parallel blocks read one input', () => {
    const mlp = (layer: number, token: number) => ({ part: 'mlp' as const, layer, token });
    const attn = (layer: number, token: number) => ({ part: 'attn' as const, layer, token });
    expect(couldInfluence(mlp(0, 0), mlp(1, 1))).toBe(false);
    expect(couldInfluence(mlp(0, 0), attn(1, 1))).toBe(true);
    expect(couldInfluence(mlp(0, 1), attn(1, 0))).toBe(false);
    expect(couldInfluence(attn(1, 0), attn(1, 1))).toBe(false);
    expect(couldInfluence(attn(1, 0), mlp(1, 0))).toBe(true);
    expect(couldInfluence(attn(1, 0), mlp(1, 0), true)).toBe(false);
    expect(couldInfluence(mlp(1, 0), attn(1, 0))).toBe(false);
    expect(edgesOf([mlp(0, 0), mlp(1, 0), mlp(2, 0)])).toHaveLength(2);
  });
});

describe('marks', () => {
  const marked = noted(grouped(togglePins(noMarks, ['mlp.0.t1']), ['mlp.0.t0', 'mlp.0.t1'], ' recall '), 'group 1', 'why\nnot');

  it('pins, groups and notes, each one step that can be taken back', () => {
    expect(marked).toEqual({
      pins: ['mlp.0.t1', 'mlp.0.t0'],
      groups: [{ id: 1, name: 'recall', members: ['mlp.0.t0', 'mlp.0.t1'] }],
      notes: { 'group 1': 'why\nnot' },
    });
    expect(togglePins(marked, ['mlp.0.t1', 'mlp.0.t0']).pins).toEqual([]);
    expect(togglePins(noMarks, [])).toBe(noMarks);
    expect(renamedGroup(marked, 1, 'answer').groups[0]!.name).toBe('answer');
    expect(renamedGroup(marked, 1, ' ')).toBe(marked);
    const moved = grouped(marked, ['mlp.0.t0', 'mlp.0.t1'], '');
    expect(moved.groups).toEqual([{ id: 2, name: 'Group 2', members: ['mlp.0.t0', 'mlp.0.t1'] }]);
    expect(moved.notes).toEqual({});
    expect(ungrouped(marked, 1)).toEqual({ pins: marked.pins, groups: [], notes: {} });
    expect(noted(marked, 'group 1', '').notes).toEqual({});
    expect([groupOf(marked, 'mlp.0.t0')?.id, groupOf(marked, 'mlp.1.t1')]).toEqual([1, null]);
  });

  it('undo and redo go back and forth, and a new change forgets what was taken back', () => {
    let history = historyOf(0);
    history = changed(changed(history, 1, 'one'), 2, 'two');
    expect(changed(history, 2, 'again')).toEqual(history);
    history = undone(undone(undone(history)));
    expect([history.now, history.future.map(({ what }) => what)]).toEqual([0, ['two', 'one']]);
    history = redone(history);
    expect([history.now, history.past.map(({ what }) => what)]).toEqual([1, ['one']]);
    history = changed(history, 5, 'five');
    expect([redone(history).now, undone(history).now]).toEqual([5, 1]);
  });

  it('are saved and read back; what makes no sense is left out', () => {
    const view: SavedView = {
      threshold: 0.3,
      scale: 'own',
      rule: 'nonstrict',
      heads: true,
      stage: 'step-10',
      seed: 2,
      point: 4,
      marks: marked,
    };
    expect(readView(JSON.parse(JSON.stringify(viewJson(view))))).toEqual(view);
    expect(
      readView({
        threshold: 7,
        marks: { pins: ['mlp.0.t1', 3, 'x'], groups: [{ id: 1, name: 'x', members: [] }], notes: { a: 1 } },
      }),
    ).toEqual({
      threshold: 0.2,
      scale: 'shared',
      rule: 'strict',
      heads: false,
      stage: null,
      seed: null,
      point: -1,
      marks: { pins: ['mlp.0.t1'], groups: [], notes: {} },
    });
    expect(readView(null).marks).toEqual(noMarks);
  });

  it('are in the files, with the meaning of lines', () => {
    const layout = layOut(ranked, { layers: 2, tokens: 2 });
    const picture = { layout, tokens: ['The', 'c<ity'], marks: marked, selected: new Set<string>() };
    const { text } = circuitSvg(picture, 'A circuit', 'Averaged.');
    for (const words of ['recall', 'why not', 'no weight', 'Averaged.', 'c&lt;ity', 'MLP of layer 0'])
      expect(text).toContain(words);
    expect(text.match(/data-key=/g)).toHaveLength(5);
    const rows = circuitCsv(picture).trim().split('\r\n');
    expect(rows).toHaveLength(6);
    expect(rows[0]).toBe('component,layer,head,token,token text,role,upstream,informative,downstream,pinned,group,note');
    expect(rows).toContain('MLP of layer 0,0,,0,The,upstream,4,1,0,yes,recall,');
    const selected = drawCircuit({ ...picture, selected: new Set(['mlp.0.t0']) }, printStyle)
      .map(serialize)
      .join('');
    expect(selected.match(/stroke-opacity="1"/g)).toHaveLength(2);
  });
});

describe('arrow keys', () => {
  it('lead to the nearest component in their direction', () => {
    const nodes = [
      { x: 0, y: 0 },
      { x: 30, y: 20 },
      { x: 100, y: 0 },
      { x: 0, y: 50 },
    ];
    const from = (key: string) => nodeBeside(nodes, 0, key);
    expect(['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp', 'x'].map(from)).toEqual([1, 3, null, null, null]);
    expect(nodeBeside([], 0, 'ArrowRight')).toBeNull();
  });
});
