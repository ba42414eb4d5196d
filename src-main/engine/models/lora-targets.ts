/**
 * The choice of low-rank adapters (LoRA, Hu et al. 2021): rank, alpha, and which linear maps of which layers get one, by our roles or PEFT's names.
 * It looks at names and shapes only; the adapters themselves are adapters.ts's.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Parameter, ParameterList, Trainable } from './parameters.ts';

/** As a plan or a spec has it. */
export interface LoraChoice {
  /** Rows of A and columns of B; default 8. */
  rank?: number;
  /** What the adapters give is multiplied by alpha / rank; default 16. */
  alpha?: number;
  /**
   * Linear maps by role (`attn.q`), by PEFT's names (`q_proj`, `self_attn.q_proj`) or as tensors (`model.layers.0.self_attn.q_proj.weight`); or
   * all of them. Default: what PEFT takes for these families, queries and values (the one map of q, k and v where they are one).
   */
  targets?: 'all' | string[];
  /** Default: all. */
  layers?: number[];
  /** Of A's first values; default 0. */
  seed?: number;
}

export interface LoraSettings extends LoraChoice {
  rank: number;
  alpha: number;
  seed: number;
}

export const defaultLora = { rank: 8, alpha: 16, seed: 0 } as const;

/** The adapters that a choice of what trains asks for, with defaults filled in; null: none. */
export function loraOf(trainable: Trainable): LoraSettings | null {
  if (trainable === 'lora') return { ...defaultLora };
  if (typeof trainable === 'string' || !('lora' in trainable)) return null;
  return { ...defaultLora, ...trainable.lora };
}

const loraKeys = ['rank', 'alpha', 'targets', 'layers', 'seed'];

/** Why a value read from a file is no choice of adapters, to be put after its name; null where it is one. Whether it fits a model is `loraTargets`' to say. */
export function loraProblem(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `is not an object with ${loraKeys.join(', ')}`;
  const { rank, alpha, targets, layers, seed } = value as Record<string, unknown>;
  const unknown = Object.keys(value).find((key) => !loraKeys.includes(key));
  if (unknown !== undefined) return `has the unknown key ${JSON.stringify(unknown)}; known are ${loraKeys.join(', ')}`;
  const isWhole = (number: unknown, least: number) => Number.isSafeInteger(number) && (number as number) >= least;
  if (rank !== undefined && !isWhole(rank, 1))
    return `has the rank ${JSON.stringify(rank)}, which is not a whole number of at least 1`;
  if (alpha !== undefined && !(typeof alpha === 'number' && Number.isFinite(alpha) && alpha > 0))
    return `has the alpha ${JSON.stringify(alpha)}, which is not a number above 0`;
  if (seed !== undefined && !isWhole(seed, 0))
    return `has the seed ${JSON.stringify(seed)}, which is not a whole number of at least 0`;
  const isList = (list: unknown, fits: (item: unknown) => boolean) => Array.isArray(list) && list.length > 0 && list.every(fits);
  if (targets !== undefined && targets !== 'all' && !isList(targets, (target) => typeof target === 'string'))
    return 'has targets that are neither "all" nor a list of names such as ["q_proj", "v_proj"]';
  if (layers !== undefined && !isList(layers, (layer) => Number.isInteger(layer)))
    return 'has layers that are not a list of numbers';
  return null;
}

/** Whether a parameter is the matrix of one of a layer's linear maps. */
export const isLinearMap = ({ group, shape }: Parameter): boolean =>
  (group === 'mlp' || group === 'attention') && shape.length === 2;

/** Errors: `BadTrainable` for a layer that the model does not have, and for none. */
export function requireLayers(layers: readonly number[], count: number): void {
  const outside = layers.find((layer) => !Number.isInteger(layer) || layer < 0 || layer >= count);
  if (outside === undefined && layers.length > 0) return;
  throw new HopscopeError(
    'BadTrainable',
    `trainable: layer ${outside ?? '(none)'} is not among the model's layers 0 to ${count - 1}.`,
  );
}

/**
 * The matrices that get adapters. Errors: `BadTrainable` for a rank below 1 or above a matrix's smaller side, targets and layers that the model does
 * not have, and the like.
 */
export function loraTargets({ blocks }: Pick<ParameterList, 'blocks'>, lora: LoraChoice): Parameter[] {
  const problem = loraProblem(lora);
  if (problem) throw new HopscopeError('BadTrainable', `trainable: lora ${problem}.`);
  const { rank = defaultLora.rank, targets, layers } = lora;
  if (layers) requireLayers(layers, blocks.length);
  const maps = blocks.flat().filter(isLinearMap);
  const within = layers ? maps.filter(({ layer }) => layers.includes(layer!)) : maps;
  const unknown = Array.isArray(targets) ? targets.find((target) => !maps.some((map) => isMeant(map, target))) : undefined;
  if (unknown !== undefined) {
    const known = (blocks[0] ?? []).filter(isLinearMap).map((map) => `${map.role} (${moduleName(map)})`);
    throw new HopscopeError(
      'BadTrainable',
      `trainable: lora's target ${JSON.stringify(unknown)} is no linear map of the model; its are ${known.join(', ')}.`,
    );
  }
  const chosen = within.filter((map) => {
    if (targets === 'all') return true;
    return targets ? targets.some((target) => isMeant(map, target)) : isDefault(map);
  });
  if (chosen.length === 0)
    throw new HopscopeError('BadTrainable', 'trainable: lora has no target in the layers it is limited to.');
  const small = chosen.find(({ shape }) => rank > Math.min(...shape));
  if (small) {
    throw new HopscopeError(
      'BadTrainable',
      `trainable: lora's rank ${rank} is above what ${small.name} [${small.shape}] can have, ${Math.min(...small.shape)}; choose a lower one.`,
    );
  }
  return chosen;
}

/** Adapters on those of their targets that are among `names`; null where no adapters are asked for. Errors: `BadTrainable` where none is left. */
export function loraWithin(
  list: Pick<ParameterList, 'blocks'>,
  trainable: Trainable,
  names: ReadonlySet<string>,
): { lora: LoraChoice } | null {
  const lora = loraOf(trainable);
  if (!lora) return null;
  const targets = loraTargets(list, lora).flatMap(({ name }) => (names.has(name) ? [name] : []));
  if (targets.length === 0) {
    throw new HopscopeError(
      'BadTrainable',
      `trainable: none of the ${names.size} matrices that are left free has a low-rank adapter; choose lora's targets and layers so that each set has some.`,
    );
  }
  const { layers: _, ...others } = lora;
  return { lora: { ...others, targets } };
}

/** The module's name within its layer, as PEFT has it: `self_attn.q_proj`. */
export function moduleName({ name, layer }: Parameter): string {
  const inLayer = `.${layer}.`;
  return withoutWeight(name.slice(name.indexOf(inLayer) + inLayer.length));
}

export const withoutWeight = (name: string): string => name.replace(/\.weight$/, '');

const isDefault = ({ role }: Parameter): boolean => role === 'attn.q' || role === 'attn.v' || role.startsWith('attn.qkv');

function isMeant({ role, name }: Parameter, target: string): boolean {
  const module = withoutWeight(name);
  // The one map of q, k and v has the order of its outputs in its role
  const isRole = role === target || (target === 'attn.qkv' && role.startsWith(`${target}.`));
  return isRole || name === target || module === target || module.endsWith(`.${target}`);
}
