/**
 * From a component to the experiment that tests it: the settings that the wizard starts with, and its address.
 * It starts nothing; what the wizard shows can all be changed there.
 */
import type { ExperimentSpec, Json } from '../../src-main/shared/records.ts';
import { type ChosenComponent, type Component, componentAt, componentName, keyOf } from './components.ts';
import { type Kind, type Part, parts, type ScoreTables, scoreName } from './scores.ts';

export interface NextExperiment {
  experiment: string;
  values: { [name: string]: Json };
}

/** More components than this are not named one by one. */
const mostListed = 4;

/** Settings that mean the same in every experiment. */
const carried = ['model', 'dataset', 'seeds', 'epochs', 'lr', 'batch_size', 'trainable', 'collisions', 'device', 'threads'];

/** Nonce-word data do not fit experiments on facts: the wizard asks for others then. */
function carriedFrom(spec: ExperimentSpec): { [name: string]: Json } {
  const isNonce =
    spec.dataset === 'daxwug' || (typeof spec.dataset === 'object' && spec.dataset !== null && 'variant_1' in spec.dataset);
  return Object.fromEntries(
    carried.flatMap((name) => {
      const value = spec[name];
      return value === undefined || (name === 'dataset' && isNonce) ? [] : [[name, value]];
    }),
  );
}

/**
 * How many of a score's top components (MLPs and heads at every token, the highest first, as ablation orders them) reach down to this one.
 * Null where it does not raise the answer: ablation replaces what a score calls helpful. Attention as a whole counts as its best head.
 */
export function topCount(tables: ScoreTables, kind: Kind, { part, layer, head, token }: Component): number | null {
  const all = parts.flatMap((each) => tables.get(scoreName(kind, each, 'strict')) ?? []);
  const table = tables.get(scoreName(kind, part, 'strict'));
  if (table === undefined) return null;
  const heads = table.heads === null ? [0] : head === null ? Array.from({ length: table.heads }, (_, each) => each) : [head];
  const values = heads.map((each) => table.values[(layer * (table.heads ?? 1) + each) * table.tokens + token] ?? 0);
  const value = Math.max(...values);
  if (value <= 0) return null;
  let higher = 0;
  for (const { values: others } of all) for (let index = 0; index < others.length; index++) if (others[index]! > value) higher++;
  return higher + 1;
}

/** What stands in for a component's values: its mean over the prompts, or what the old weights compute. */
export type Replacement = 'mean' | 'patch-old';

/** The prompt whose tokens components were chosen at: how many it has, and itself where the run said so. */
export interface ChosenAt {
  tokens: number;
  prompt: { prompt: string; answer: string } | null;
}

/**
 * Ablation of exactly these components, at every token where one is added over all. A component that is named twice, or a head beside its whole
 * layer's attention, counts once.
 */
export function ablationOfChosen(
  spec: ExperimentSpec,
  targets: readonly ChosenComponent[],
  { tokens, prompt }: ChosenAt,
  method: Replacement,
): NextExperiment {
  const places = targets.flatMap(({ part, layer, head, token }) =>
    (token === null ? Array.from({ length: tokens }, (_, each) => each) : [token]).map((each) => ({
      part,
      layer,
      head,
      token: each,
    })),
  );
  const byKey = new Map(places.map((place) => [keyOf(place), place]));
  const components = [...byKey.values()].filter((place) => place.head === null || !byKey.has(keyOf({ ...place, head: null })));
  const values: { [name: string]: Json } = { ...carriedFrom(spec), method, by: 'chosen', components };
  return { experiment: 'ablation', values: prompt === null ? values : { ...values, accumulation: { ...prompt } } };
}

/** Ablation of a score's top components as far as `count`: doubling numbers, so that the effect's growth is seen. */
export function ablationOfTop(spec: ExperimentSpec, kind: Kind, count: number, method: Replacement): NextExperiment {
  const k: number[] = [];
  for (let size = 1; size < count; size *= 2) k.push(size);
  return { experiment: 'ablation', values: { ...carriedFrom(spec), method, by: kind, k: [...k, count] } };
}

/** Layers of one or both kinds of modules: what one free set can name. */
interface Block {
  layers: number[];
  modules: ('mlp' | 'attention')[];
}

/**
 * The fewest blocks that are exactly the components' matrices: one where MLPs and attention are of the same layers, else one for each kind.
 * Heads are parts of one matrix and tokens share all of them, so neither can be frozen by itself.
 */
function blocksOf(targets: readonly Pick<ChosenComponent, 'part' | 'layer'>[]): Block[] {
  const layersOf = (part: Part) =>
    [...new Set(targets.flatMap((target) => (target.part === part ? [target.layer] : [])))].sort((a, b) => a - b);
  const [mlp, attn] = [layersOf('mlp'), layersOf('attn')];
  if (mlp.join() === attn.join()) return mlp.length === 0 ? [] : [{ layers: mlp, modules: ['mlp', 'attention'] }];
  return [
    ...(mlp.length > 0 ? [{ layers: mlp, modules: ['mlp' as const] }] : []),
    ...(attn.length > 0 ? [{ layers: attn, modules: ['attention' as const] }] : []),
  ];
}

/** `MLPs of layers 1, 3`, `MLP and attention of layer 2`. */
export function blockName({ layers, modules }: Block): string {
  const many = layers.length > 1;
  const names = modules.map((module) => (module === 'mlp' ? (many ? 'MLPs' : 'MLP') : 'attention'));
  return `${names.join(' and ')} of layer${many ? 's' : ''} ${layers.join(', ')}`;
}

/** Layer freezing with everything free but each block, where that leaves anything of a model of `depth` layers, and with nothing free but it. */
export function freezingOf(
  spec: ExperimentSpec,
  targets: readonly Pick<ChosenComponent, 'part' | 'layer'>[],
  depth: number,
): NextExperiment {
  const sets = blocksOf(targets).flatMap(({ layers, modules }): [string, Json][] => {
    const name = blockName({ layers, modules });
    const isAll = layers.length === depth && modules.length === 2;
    const only: [string, Json] = [`only ${name}`, { layers, modules }];
    return isAll ? [only] : [[`all but ${name}`, { except: { layers, modules } }], only];
  });
  return { experiment: 'layer-freezing', values: { ...carriedFrom(spec), free_sets: Object.fromEntries(sets) } };
}

/** The wizard's address with these settings filled in. */
export function wizardAddress({ experiment, values }: NextExperiment): string {
  return `/new/${encodeURIComponent(experiment)}?values=${encodeURIComponent(JSON.stringify(values))}`;
}

/** In plain words what is replaced: `MLP of layer 3 at “is”`, `head 2 of layer 1 at every token`, `these 7 components`. */
export function targetsInWords(targets: readonly ChosenComponent[], tokens: readonly string[]): string {
  if (targets.length > mostListed) return `these ${targets.length} components`;
  const names = targets.map(({ token, ...component }) =>
    token === null ? `${componentName(component)} at every token` : componentAt({ ...component, token }, tokens),
  );
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** In plain words what is frozen: whole matrices, so more than heads or tokens where those were chosen. */
export function frozenInWords(targets: readonly Pick<ChosenComponent, 'part' | 'layer'>[]): string {
  return blocksOf(targets).map(blockName).join(', and then ');
}
