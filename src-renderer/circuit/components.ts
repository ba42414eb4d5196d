/**
 * Components of a model as the explorer names them: an MLP, a layer's attention or one of its heads, at one token.
 * A key is how saved circuits refer to them; it says nothing of scores.
 */
import type { Part, ScoreTable } from './scores.ts';

export interface Component {
  part: Part;
  layer: number;
  /** Null for an MLP, and for attention with its heads added. */
  head: number | null;
  token: number;
}

/** A component that is open: at one token, or added over all (null). */
export type ChosenComponent = Omit<Component, 'token'> & { token: number | null };

/** `mlp.3.t5`, `attn.3.t5`, `attn.3.h2.t5`. */
export function keyOf({ part, layer, head, token }: Component): string {
  return `${part}.${layer}${head === null ? '' : `.h${head}`}.t${token}`;
}

/** `mlp.3.t5`, or `mlp.3` where it is added over all tokens. */
export function chosenKey({ token, ...component }: ChosenComponent): string {
  const key = keyOf({ ...component, token: token ?? 0 });
  return token === null ? key.slice(0, key.lastIndexOf('.')) : key;
}

/** Null for what is no key. */
export function chosenOfKey(key: string): ChosenComponent | null {
  const whole = componentOfKey(key);
  if (whole !== null) return whole;
  const anywhere = componentOfKey(`${key}.t0`);
  return anywhere === null ? null : { ...anywhere, token: null };
}

/** Null for what is no key. */
export function componentOfKey(key: string): Component | null {
  const match = /^(mlp|attn)\.(\d{1,6})(?:\.h(\d{1,6}))?\.t(\d{1,6})$/.exec(key);
  if (match === null || (match[1] === 'mlp' && match[3] !== undefined)) return null;
  return {
    part: match[1] as Part,
    layer: Number(match[2]),
    head: match[3] === undefined ? null : Number(match[3]),
    token: Number(match[4]),
  };
}

/** `MLP of layer 3`, `attention of layer 3`, `head 2 of layer 3`. */
export function componentName({ part, layer, head }: Pick<Component, 'part' | 'layer' | 'head'>): string {
  if (part === 'mlp') return `MLP of layer ${layer}`;
  return head === null ? `attention of layer ${layer}` : `head ${head} of layer ${layer}`;
}

/** A token by its number, counted from 0 as in specs, addresses and files, and by its text where there is one: `“is” (token 7)`. */
export function tokenAt(token: number, tokens: readonly string[]): string {
  const text = tokens[token];
  return text === undefined || text === String(token) ? `token ${token}` : `“${text}” (token ${token})`;
}

/** With its token: `MLP of layer 3 at “is” (token 7)`. */
export function componentAt(component: Component, tokens: readonly string[]): string {
  return `${componentName(component)} at ${tokenAt(component.token, tokens)}`;
}

/** A component's value in a table of its part; heads are added where none is named. 0 outside the table. */
export function scoreOf(table: ScoreTable, { layer, head, token }: Component): number {
  if (layer >= table.layers || token >= table.tokens) return 0;
  if (table.heads === null) return table.values[layer * table.tokens + token]!;
  if (head !== null) return head < table.heads ? table.values[(layer * table.heads + head) * table.tokens + token]! : 0;
  let sum = 0;
  for (let each = 0; each < table.heads; each++) sum += table.values[(layer * table.heads + each) * table.tokens + token]!;
  return sum;
}
