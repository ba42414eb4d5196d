/**
 * From a component to the experiment that tests it: the settings that the wizard starts with, and its address.
 * It starts nothing; what the wizard shows can all be changed there.
 */
import type { ExperimentSpec, Json } from '../../src-main/shared/records.ts';
import type { Component } from './components.ts';
import { type Kind, parts, type ScoreTables, scoreName } from './scores.ts';

export interface NextExperiment {
  experiment: string;
  values: { [name: string]: Json };
}

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

/** Ablation of a score's top components as far as `count`: doubling numbers, so that the effect's growth is seen. */
export function ablationOf(spec: ExperimentSpec, kind: Kind, count: number, method: 'mean' | 'patch-old'): NextExperiment {
  const k: number[] = [];
  for (let size = 1; size < count; size *= 2) k.push(size);
  return { experiment: 'ablation', values: { ...carriedFrom(spec), method, by: kind, k: [...k, count] } };
}

/** Layer freezing with the components' layers frozen, and with nothing but their modules free. */
export function freezingOf(
  spec: ExperimentSpec,
  components: readonly Pick<Component, 'part' | 'layer'>[],
  layers: number,
): NextExperiment {
  const frozen = [...new Set(components.map(({ layer }) => layer))].sort((a, b) => a - b);
  const others = Array.from({ length: layers }, (_, layer) => layer).filter((layer) => !frozen.includes(layer));
  const kinds = new Set(components.map(({ part }) => part));
  const modules = [...(kinds.has('mlp') ? ['mlp'] : []), ...(kinds.has('attn') ? ['attention'] : [])];
  const names = `layer${frozen.length === 1 ? '' : 's'} ${frozen.join(', ')}`;
  const sets: { [name: string]: Json } = {
    ...(others.length > 0 ? { [`all but ${names}`]: { layers: others } } : {}),
    [`only ${modules.map((module) => (module === 'mlp' ? 'MLPs' : 'attention')).join(' and ')} of ${names}`]: {
      layers: frozen,
      modules,
    },
  };
  return { experiment: 'layer-freezing', values: { ...carriedFrom(spec), free_sets: sets } };
}

/** The wizard's address with these settings filled in. */
export function wizardAddress({ experiment, values }: NextExperiment): string {
  return `/new/${encodeURIComponent(experiment)}?values=${encodeURIComponent(JSON.stringify(values))}`;
}
