/**
 * Components by what people type: `mlp 3`, `L4H2`, `head 2 layer 4`, `speak`, `upstream`, `t7`.
 * It finds and orders; what happens to what is chosen is the screen's business.
 */
import { type Component, keyOf } from './components.ts';
import { type Kind, type Part, parts, type ScoreTables, scoreName } from './scores.ts';
import { type CircuitComponent, componentIn, type Limits, type Ranking, roles, type Scale } from './selection.ts';

/** What a text asks for; a field that it does not name is null. */
export interface ComponentQuery {
  part: Part | null;
  layer: number | null;
  head: number | null;
  /** Index of the token. */
  token: number | null;
  role: Kind | null;
  /** Words that the token's text must have, in lower case. */
  words: string[];
}

const partWords: Record<string, Part> = { mlp: 'mlp', mlps: 'mlp', attn: 'attn', attention: 'attn' };

/** A number after `mlp`, `attention` or `layer` is a layer, after `head` a head, after `token` a token, counted from 0. */
export function parseQuery(text: string): ComponentQuery {
  const query: ComponentQuery = { part: null, layer: null, head: null, token: null, role: null, words: [] };
  // `L4H2`, `mlp3` and `4.2` fall apart into names and numbers; a text in quotation marks is a token's alone
  const pieces = [
    ...text.toLowerCase().matchAll(/["“@](?<quoted>[^"”]+)["”]?|(?<name>\p{L}+)|(?<number>\d+)|(?<other>[^\s\p{L}\d]+)/gu),
  ];
  let named: 'layer' | 'head' | 'token' | null = null;
  for (const { groups } of pieces) {
    const { quoted, name, number } = groups!;
    if (quoted !== undefined) query.words.push(quoted.trim());
    else if (number !== undefined) {
      const field = named ?? (query.layer === null ? 'layer' : 'head');
      query[field] = Number(number);
      if (field === 'head') query.part = 'attn';
      named = null;
    } else if (name !== undefined) {
      const role = roles.find((each) => each === name);
      if (role !== undefined) query.role = role;
      else if (Object.hasOwn(partWords, name)) [query.part, named] = [partWords[name]!, 'layer'];
      else if (name === 'l' || name === 'layer' || name === 'layers') named = 'layer';
      else if (name === 'h' || name === 'head' || name === 'heads') [query.part, named] = ['attn', 'head'];
      else if (name === 't' || name === 'token') named = 'token';
      else if (name !== 'of' && name !== 'at') query.words.push(name);
    }
  }
  return query;
}

/**
 * At most `count` components that fit, the strongest first: of the ranked ones, and, where a layer is named, of all in it, however weak. A head
 * that is named is found where heads do not count by themselves, too.
 */
export function findComponents(
  text: string,
  {
    tables,
    scale,
    limits,
    ranked,
    tokens,
  }: {
    tables: ScoreTables;
    scale: Scale;
    limits: Limits;
    ranked: Ranking;
    tokens: readonly string[];
  },
  count: number,
): CircuitComponent[] {
  const query = parseQuery(text);
  const names = tokens.map((token) => token.toLowerCase());
  const fits = ({ part, layer, head, token, role }: Component & { role: Kind }) =>
    (query.part === null || part === query.part) &&
    (query.layer === null || layer === query.layer) &&
    (query.head === null || head === query.head) &&
    (query.token === null || token === query.token) &&
    (query.role === null || role === query.role) &&
    query.words.every((word) => names[token]?.includes(word));
  if (query.layer === null) {
    const found: CircuitComponent[] = [];
    for (let place = 0; place < ranked.strengths.length && found.length < count; place++) {
      const component = ranked.component(place);
      if (fits(component)) found.push(component);
    }
    return found;
  }
  return ofLayer(query.layer, tables, scale.heads || query.head !== null)
    .flatMap((component) => componentIn(tables, scale, limits, keyOf(component)) ?? [])
    .filter(fits)
    .sort((a, b) => b.strength - a.strength)
    .slice(0, count);
}

function ofLayer(layer: number, tables: ScoreTables, byHead: boolean): Component[] {
  return parts.flatMap((part) => {
    const [shape] = roles.flatMap((kind) => tables.get(scoreName(kind, part, 'strict')) ?? []);
    if (shape === undefined || layer >= shape.layers) return [];
    const heads = shape.heads !== null && byHead ? Array.from({ length: shape.heads }, (_, head) => head) : [null];
    return heads.flatMap((head) => Array.from({ length: shape.tokens }, (_, token) => ({ part, layer, head, token })));
  });
}
