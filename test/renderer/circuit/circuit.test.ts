/** The node-link circuit: which components it has, where they stand, what could influence what, marks with undo, files. */
import { describe, expect, it } from 'vitest';
import { attributionGraph } from '../../../src-renderer/circuit/attribution-graph.ts';
import { circuitCsv } from '../../../src-renderer/circuit/circuit-csv.ts';
import { circuitSvg } from '../../../src-renderer/circuit/circuit-svg.ts';
import { type CircuitNode, membersOf, sumOf, withCollapsed } from '../../../src-renderer/circuit/collapse.ts';
import { drawCircuit } from '../../../src-renderer/circuit/drawing.ts';
import { changed, historyOf, redone, undone } from '../../../src-renderer/circuit/history.ts';
import { couldInfluence, edgesOf, layOut, mergedEdges, nodeBeside, spacedOut } from '../../../src-renderer/circuit/layout.ts';
import { linesAt } from '../../../src-renderer/circuit/lines.ts';
import {
  grouped,
  groupOf,
  noMarks,
  noted,
  readView,
  renamedGroup,
  type SavedView,
  toggleCollapsed,
  togglePins,
  ungrouped,
  viewJson,
} from '../../../src-renderer/circuit/marks.ts';
import type { ScoreTable, ScoreTables } from '../../../src-renderer/circuit/scores.ts';
import {
  type CircuitComponent,
  chosen,
  componentIn,
  countAbove,
  limitsOf,
  mostShown,
  placeOf,
  type Ranking,
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
const listed = (ranking: Ranking) => Array.from(ranking.strengths, (_, place) => ranking.component(place));
const ranking = rankedComponents(tables, scale, limits);
const ranked = listed(ranking);
const find = (key: string) => componentIn(tables, scale, limits, key);
/** Nothing collapsed. */
const nodesOf = (components: readonly CircuitComponent[]): CircuitNode[] => withCollapsed(components, noMarks, find, limits);

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
    const own = listed(rankedComponents(tables, ownScale, limitsOf(tables, ownScale)));
    expect(own.filter(({ strength }) => strength === 1).map(({ key }) => key)).toEqual(['mlp.0.t0', 'mlp.0.t1', 'mlp.1.t1']);
    expect(own.at(-1)).toMatchObject({ key: 'attn.1.t1', scores: { upstream: 2 }, strength: 0.5 });
    expect(limitsOf(tables, { ...scale, scale: 'own' })).toEqual({ upstream: 4, informative: 10, downstream: 5 });
  });

  it('above a threshold, and pinned ones whatever they score', () => {
    expect([1.01, 1, 0.4, 0.05].map((threshold) => countAbove(ranking, threshold))).toEqual([0, 1, 3, 5]);
    const keys = ['attn.1.h1.t1', 'mlp.0.t1', 'mlp.1.t0', 'nonsense'];
    const pinned = keys.flatMap((key) => componentIn(tables, scale, limits, key) ?? []);
    expect(chosen(ranking, countAbove(ranking, 0.5), pinned).map(({ key, strength }) => [key, strength])).toEqual([
      ['mlp.0.t1', 1],
      ['mlp.1.t1', 0.5],
      ['attn.1.h1.t1', 0.1],
      ['mlp.1.t0', 0],
    ]);
    expect(thresholdFor(ranking, 3)).toBe(0.4);
    expect(thresholdFor(ranking, 99)).toBe(0.1);
    expect(thresholdFor({ ...ranking, strengths: new Float64Array(0) }, 3)).toBe(1);
  });

  it('the slider goes in even factors', () => {
    expect(shareAt(1)).toBe(1);
    expect(shareAt(0)).toBeCloseTo(0.005);
    for (const place of [0, 0.3, 1]) expect(placeOf(shareAt(place))).toBeCloseTo(place);
  });

  it('32 layers of 32 heads over 40 tokens are put in order and laid out', { timeout: 20_000 }, () => {
    const size = 32 * 32 * 40;
    const values = Float64Array.from({ length: size }, (_, index) => Math.sin(index) ** 9);
    const large = new Map(
      ['upstream', 'informative', 'downstream'].map((kind) => [`${kind}.attn`, { layers: 32, heads: 32, tokens: 40, values }]),
    );
    const all = rankedComponents(large, scale, limitsOf(large, scale));
    // Asked for later, places lie behind what was put in order first
    const late = all.component(9000);
    expect(late.strength).toBe(all.strengths[9000]);
    const { nodes, edges } = layOut(nodesOf(chosen(all, countAbove(all, 0.01), [])), { layers: 32, tokens: 40 });
    expect([all.strengths.length > 20_000, nodes.length, edges.length > 100]).toEqual([true, mostShown, true]);
  });
});

describe('where they stand and what could influence what', () => {
  const layout = layOut(nodesOf(ranked), { layers: 2, tokens: 2 });
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
      groups: [{ id: 1, name: 'recall', members: ['mlp.0.t0', 'mlp.0.t1'], collapsed: false }],
      notes: { 'group 1': 'why\nnot' },
    });
    expect(togglePins(marked, ['mlp.0.t1', 'mlp.0.t0']).pins).toEqual([]);
    expect(togglePins(noMarks, [])).toBe(noMarks);
    expect(renamedGroup(marked, 1, 'answer').groups[0]!.name).toBe('answer');
    expect(renamedGroup(marked, 1, ' ')).toBe(marked);
    const moved = grouped(marked, ['mlp.0.t0', 'mlp.0.t1'], '');
    expect(moved.groups).toEqual([{ id: 2, name: 'Group 2', members: ['mlp.0.t0', 'mlp.0.t1'], collapsed: false }]);
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
      pinnedOnly: true,
      stage: 'step-10',
      seed: 2,
      point: 4,
      marks: toggleCollapsed(marked, [1]),
    };
    expect(view.marks.groups[0]!.collapsed).toBe(true);
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
      pinnedOnly: false,
      stage: null,
      seed: null,
      point: -1,
      marks: { pins: ['mlp.0.t1'], groups: [], notes: {} },
    });
    expect(readView(null).marks).toEqual(noMarks);
  });

  it('are in the files, with the meaning of lines', () => {
    const layout = layOut(nodesOf(ranked), { layers: 2, tokens: 2 });
    const picture = { layout, tokens: ['The', 'c<ity'], marks: marked, selected: new Set<string>(), difference: false };
    const { text, description } = circuitSvg(picture, 'A circuit', 'Averaged.');
    expect([description, text.includes('<desc>Averaged.</desc>')]).toEqual(['Averaged.', true]);
    for (const words of ['recall', 'why not', 'no weight', 'Averaged.', 'c&lt;ity', 'MLP of layer 0'])
      expect(text).toContain(words);
    expect(text.match(/data-key=/g)).toHaveLength(5);
    expect(text).toContain('hollow: raises it');
    const difference = circuitSvg({ ...picture, difference: true }, 'A minus B', 'Averaged.').text.replace(/<[^>]*>|\s+/g, ' ');
    expect(difference).toContain('higher in A');
    expect(difference).not.toContain('lowers the loss');
    const rows = circuitCsv(picture, 'A circuit', 'Run 1').trim().split('\r\n');
    expect(rows).toHaveLength(6);
    expect(rows[0]).toBe(
      'component,layer,head,token,token text,role,upstream,informative,downstream,pinned,group,note,members,figure,source',
    );
    expect(rows).toContain('MLP of layer 0,0,,0,The,upstream,4,1,0,yes,recall,,,A circuit,Run 1');
    const selected = drawCircuit({ ...picture, selected: new Set(['mlp.0.t0']) }, printStyle)
      .map(serialize)
      .join('');
    const strong = / d="([^"]*)" stroke-width="1.8"/.exec(selected)![1]!;
    expect(strong.match(/M/g)).toHaveLength(2);
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

describe('collapsed groups', () => {
  const members = ['mlp.0.t0', 'attn.1.h0.t1', 'attn.1.h1.t1'];
  const open = grouped(noMarks, members, 'recall');
  const marks = toggleCollapsed(open, [1]);
  const nodes = withCollapsed(ranked, marks, find, limits);
  const group = nodes.find(({ key }) => key === 'group 1')!;

  it('open and close as one step, all of those meant together', () => {
    expect(marks.groups.map(({ collapsed }) => collapsed)).toEqual([true]);
    expect(toggleCollapsed(marks, [1])).toEqual(open);
    expect(toggleCollapsed(marks, [7])).toBe(marks);
    const two = grouped(marks, ['mlp.0.t1'], 'hold');
    expect(toggleCollapsed(two, [1, 2]).groups.map(({ collapsed }) => collapsed)).toEqual([true, true]);
  });

  it('stand for their members with scores added, at the place of the strongest, whatever is shown', () => {
    expect(nodes.map(({ key }) => key)).toEqual(['mlp.0.t1', 'mlp.1.t1', 'group 1']);
    expect(group).toMatchObject({ part: 'mlp', layer: 0, token: 0, role: 'upstream', scores: { upstream: 6, informative: 1 } });
    expect(group.strength).toBeCloseTo(0.6);
    expect(withCollapsed([], marks, find, limits).map(({ key, scores }) => [key, scores.upstream])).toEqual([['group 1', 6]]);
    const nowhere = { ...marks, groups: [{ ...marks.groups[0]!, members: ['nonsense'] }] };
    expect(withCollapsed(ranked, nowhere, find, limits)).toHaveLength(ranked.length);
    expect([membersOf(marks, 'group 1'), membersOf(marks, 'mlp.0.t1'), membersOf(marks, 'group 9')]).toEqual([
      members,
      ['mlp.0.t1'],
      [],
    ]);
  });

  it('count a head once beside its whole layer', () => {
    const all = ['attn.1.t1', 'attn.1.h0.t1', 'mlp.0.t0'].flatMap((key) => find(key) ?? []);
    expect(sumOf(all)).toEqual({ upstream: 2 + 4, informative: 1, downstream: 0 });
  });

  it('have their members’ lines once, none to themselves, and heads on those that do not lead down', () => {
    const lines = mergedEdges(nodes).map(({ from, to }) => `${nodes[from]!.key} ${nodes[to]!.key}`);
    expect(lines.sort()).toEqual(['group 1 mlp.1.t1', 'mlp.0.t1 group 1']);
    const layout = layOut(nodes, { layers: 2, tokens: 2 });
    const picture = { layout, tokens: ['The', 'city'], marks, selected: new Set(members), difference: false };
    const text = drawCircuit(picture, printStyle).map(serialize).join('');
    expect(text.match(/data-key=/g)).toHaveLength(3);
    expect(text).not.toContain('data-group');
    expect(text).toContain('>3</text>');
    expect(/ d="([^"]*)" stroke-width="1.8"/.exec(text)![1]!.match(/M/g)).toHaveLength(2);
    const { d, into, out } = linesAt(layout, 'group 1');
    expect([d.match(/M/g)?.length, into, out]).toEqual([2, 1, 1]);
    expect(linesAt(layout, 'mlp.1.t0')).toEqual({ d: '', into: 0, out: 0 });
    // From the MLP of layer 0 back to the group, which stands beside it at an earlier token
    expect(text).toMatch(/d="M[^"]*l6 -3v6z" fill/);
  });

  it('are in files: one row, their members named, and as supernodes with all of their members', () => {
    const layout = layOut(nodes, { layers: 2, tokens: 2 });
    const noteOn = noted(noted(marks, 'group 1', 'why'), 'mlp.0.t1', 'held here');
    const picture = { layout, tokens: ['The', 'city'], marks: noteOn, selected: new Set<string>(), difference: false };
    const row = circuitCsv(picture, 'A circuit', 'Run 1')
      .split('\r\n')
      .find((each) => each.startsWith('recall'));
    expect(row).toBe(
      'recall,,,,,upstream,6,1,0,yes,recall,why,MLP of layer 0 at “The” (token 0); head 0 of layer 1 at “city” (token 1); head 1 of layer 1 at “city” (token 1),A circuit,Run 1',
    );
    const { text } = circuitSvg(picture, 'A circuit', 'Averaged.');
    for (const words of ['recall: MLP of layer 0', 'Hexagons', 'recall: why']) expect(text).toContain(words);
    const graph = attributionGraph(
      picture,
      { title: 'A circuit!', caption: 'Averaged.', model: 'small-world', created: '2026-01-02T00:00:00Z' },
      false,
    ) as unknown as {
      metadata: { slug: string; scan: string; prompt_tokens: string[]; info: { create_time_ms: number } };
      qParams: { pinnedIds: string[]; supernodes: string[][] };
      nodes: { node_id: string; feature: number; layer: string; ctx_idx: number; clerp: string; influence: number }[];
      links: { source: string; target: string; weight: number }[];
    };
    expect(graph.metadata).toMatchObject({ slug: 'a-circuit', scan: 'small-world', prompt_tokens: ['The', 'city'] });
    expect(graph.metadata.info.create_time_ms).toBe(Date.UTC(2026, 0, 2));
    expect(graph.nodes.map(({ node_id }) => node_id).sort()).toEqual(['0_0_0', '0_0_1', '1_0_1', '1_2_1', '1_3_1']);
    expect(graph.qParams.supernodes).toEqual([['recall', '0_0_0', '1_2_1', '1_3_1']]);
    expect(graph.qParams.pinnedIds).toEqual(['0_0_0', '1_2_1', '1_3_1']);
    expect(graph.nodes.find(({ node_id }) => node_id === '0_0_1')).toMatchObject({
      feature: 0,
      layer: '0',
      ctx_idx: 1,
      clerp: 'Informative: MLP of layer 0 at “city” (token 1). held here',
      influence: 10,
    });
    const ids = new Set(graph.nodes.map(({ node_id }) => node_id));
    expect(graph.links).toHaveLength(6);
    expect(graph.links.every(({ source, target, weight }) => ids.has(source) && ids.has(target) && weight === 1)).toBe(true);
  });
});

describe('names beside the view', () => {
  it('keep their distance, used ones first', () => {
    expect(spacedOut([0, 10, 20, 30], [0, 1, 0, 0], 15)).toEqual([false, true, false, true]);
    expect(spacedOut([0, 20, 40], [0, 0, 2], 15)).toEqual([true, true, true]);
  });
});
