/**
 * The linear maps of a block whose changed weights are scored: their published names and how their scores fall into heads.
 * It reads the family's parameter table and builds nothing.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { ModelConfiguration } from '../models/family.ts';
import type { ModelOutline } from './programs.ts';

/** One linear map of a block, or the bias of one. */
export interface ScoredMap {
  role: string;
  /** The name that its score is published under: `q_proj`, `gate_proj`, ... */
  name: string;
  group: 'attention' | 'mlp';
  isBias: boolean;
  /**
   * Heads that the score is split into: of queries, or of keys and values; of a map that is all three, in the order of its outputs. Null where it is
   * one number per token.
   */
  parts: number | null;
}

/** The map whose heads lie along its input; those of q, k and v lie along their outputs. */
export const splitByInput = 'attn.o';

/** The map that is q, k and v in one: outputs of all query heads, then of all key heads, then of all value heads. */
const fused = 'attn.qkv';

/** The same with the outputs of the first query head, its key head and its value head, then those of the second, and so on. */
const fusedByHead = 'attn.qkv.heads';

/** A block's linear maps in the table's order, each with its bias after it. Errors: `NoScores` for attention of other maps than q, k, v, o and those of q, k and v in one. */
export function scoredMaps({ parameters, configuration }: ModelOutline): ScoredMap[] {
  const block = parameters.blocks[0] ?? [];
  const matrices = block.filter(({ group, shape }) => (group === 'attention' || group === 'mlp') && shape.length === 2);
  const published = (parts: number) =>
    matrices.map(({ name }) =>
      name
        .split('.')
        .slice(-1 - parts, -1)
        .join('.'),
    );
  const other = matrices.find(({ role, group }) => group === 'attention' && partsOf(role, configuration) === null);
  if (other) {
    throw new HopscopeError(
      'NoScores',
      `Models of the family ${configuration.family} cannot be scored: how ${other.role} (${other.name}) divides among heads is not known.`,
    );
  }
  // Where attention and MLP use one name (c_proj), the module's name comes in front
  const short = published(1);
  const names = new Set(short).size === short.length ? short : published(2);
  return matrices.flatMap(({ role, group }, index) => {
    const map = {
      role,
      name: names[index]!,
      group: group as ScoredMap['group'],
      isBias: false,
      parts: partsOf(role, configuration),
    };
    const bias = `${role}.bias`;
    if (!block.some((parameter) => parameter.role === bias)) return [map];
    // The output projection mixes the heads, so its bias belongs to none
    return [map, { ...map, role: bias, name: `${map.name}_bias`, isBias: true, parts: role === splitByInput ? null : map.parts }];
  });
}

function partsOf(role: string, { heads, keyValueHeads }: ModelConfiguration): number | null {
  if (role === 'attn.q' || role === splitByInput) return heads;
  if (role === fused || role === fusedByHead) return heads + 2 * keyValueHeads;
  return role === 'attn.k' || role === 'attn.v' ? keyValueHeads : null;
}

/** The parts of an attention map's score that count toward a query head, each divided by how many query heads share it. */
export function headParts(
  { role }: ScoredMap,
  head: number,
  { heads, keyValueHeads }: Pick<ModelConfiguration, 'heads' | 'keyValueHeads'>,
): { part: number; sharedBy: number }[] {
  const group = heads / keyValueHeads;
  const own = { part: head, sharedBy: 1 };
  const shared = (first: number) => ({ part: first + Math.floor(head / group), sharedBy: group });
  if (role === fusedByHead) return [0, 1, 2].map((kind) => ({ part: 3 * head + kind, sharedBy: 1 }));
  if (role === fused) return [own, shared(heads), shared(heads + keyValueHeads)];
  return role === 'attn.k' || role === 'attn.v' ? [shared(0)] : [own];
}
