/** Components by what people type. */
import { describe, expect, it } from 'vitest';
import type { ScoreTables } from '../../../src-renderer/circuit/scores.ts';
import { findComponents, parseQuery } from '../../../src-renderer/circuit/search.ts';
import { limitsOf, rankedComponents, type Scale } from '../../../src-renderer/circuit/selection.ts';

const tables: ScoreTables = new Map([
  ['upstream.mlp', { layers: 2, heads: null, tokens: 2, values: [4, 0, 0, 0] }],
  ['downstream.mlp', { layers: 2, heads: null, tokens: 2, values: [0, 0, 0, -5] }],
  ['upstream.attn', { layers: 2, heads: 2, tokens: 2, values: [0, 0, 0, 0, 0, 3, 0, -1] }],
]);
const tokens = ['The', 'Speak'];

function found(text: string, heads = false): string[] {
  const scale: Scale = { scale: 'shared', rule: 'strict', heads };
  const limits = limitsOf(tables, scale);
  const ranked = rankedComponents(tables, scale, limits);
  return findComponents(text, { tables, scale, limits, ranked, tokens }, 10).map(({ key }) => key);
}

describe('a search', () => {
  it('reads layers, heads, tokens, roles and words in any order', () => {
    const empty = { part: null, layer: null, head: null, token: null, role: null, words: [] };
    expect(parseQuery('mlp 3')).toEqual({ ...empty, part: 'mlp', layer: 3 });
    expect(parseQuery('MLP3')).toEqual({ ...empty, part: 'mlp', layer: 3 });
    for (const text of ['L4H2', 'head 2 of layer 4', 'attn 4 h2', '4.2', 'h2 l4'])
      expect(parseQuery(text)).toEqual({ ...empty, part: 'attn', layer: 4, head: 2 });
    expect(parseQuery('t7 upstream spe')).toEqual({ ...empty, token: 7, role: 'upstream', words: ['spe'] });
    expect(parseQuery('mlp “in the”')).toEqual({ ...empty, part: 'mlp', words: ['in the'] });
    expect(parseQuery('@ 12')).toEqual({ ...empty, words: ['12'] });
    expect(parseQuery('  ')).toEqual(empty);
  });

  it('finds the strongest first, weak ones where a layer is named, and heads that are added up', () => {
    expect(found('')).toEqual(['mlp.1.t1', 'mlp.0.t0', 'attn.1.t1']);
    expect(found('speak')).toEqual(['mlp.1.t1', 'attn.1.t1']);
    expect(found('upstream')).toEqual(['mlp.0.t0', 'attn.1.t1']);
    expect(found('mlp 0')).toEqual(['mlp.0.t0', 'mlp.0.t1']);
    expect(found('L1H1 t1')).toEqual(['attn.1.h1.t1']);
    expect(found('h0')).toEqual([]);
    expect(found('h0', true)).toEqual(['attn.1.h0.t1']);
    for (const nothing of ['mlp 9', 'nobody', 'L1H7']) expect(found(nothing)).toEqual([]);
  });
});
