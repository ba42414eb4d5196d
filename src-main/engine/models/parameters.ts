/**
 * A model's parameters spelled out layer by layer under their names in files, and the choice of which of them train.
 * It reads no tensors; shapes come from the family's table.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { elementCount } from '../tensor.ts';
import type { ModelConfiguration, ModelFamily, ParameterGroup, ParameterSpecification } from './family.ts';
import { isLinearMap, type LoraChoice, loraOf, loraTargets, requireLayers } from './lora-targets.ts';

/** One parameter of one layer (`layer` null: embedding, final norm, output matrix). */
export interface Parameter {
  role: string;
  name: string;
  shape: readonly number[];
  group: ParameterGroup;
  layer: number | null;
  /** Where this is a stretch of a large matrix's rows: the first one; `shape` is the stretch's. */
  firstRow?: number;
}

/** What trains: everything, the MLP and attention matrices (of all or some layers), parameters by name, or low-rank adapters (`lora`: with all defaults). */
export type Trainable = 'all' | 'mlp_attn' | 'lora' | LayerChoice | { lora: LoraChoice } | string[];

/** Matrices of some layers; of both kinds where `modules` is left out. */
export interface LayerChoice {
  layers: number[];
  modules?: ('mlp' | 'attention')[];
}

export interface ParameterList {
  embedding: Parameter;
  /** Learned positions, or null. */
  positions: Parameter | null;
  /** Per layer, in the table's order. */
  blocks: Parameter[][];
  head: Parameter[];
  /** Each stored tensor once (a tied output matrix is the embedding). */
  all: Parameter[];
  count: number;
}

/** `stored`: the names in the files; a family's optional prefix is left out where the files do without it. */
export function listParameters(
  family: ModelFamily,
  configuration: ModelConfiguration,
  stored?: { has(name: string): boolean },
): ParameterList {
  const table = family.parameters(configuration);
  const { optionalPrefix: prefix = '' } = family;
  const cut = stored && !stored.has(table.embedding.name) && stored.has(table.embedding.name.slice(prefix.length)) ? prefix : '';
  const of = (specification: ParameterSpecification, layer: number | null): Parameter => ({
    ...specification,
    name: (specification.name.startsWith(cut) ? specification.name.slice(cut.length) : specification.name).replace(
      '{i}',
      String(layer),
    ),
    layer,
  });
  const embedding = of(table.embedding, null);
  const positions = table.positions ? of(table.positions, null) : null;
  const blocks = Array.from({ length: configuration.layers }, (_, layer) => table.block.map((entry) => of(entry, layer)));
  const head = table.head.map((entry) => of(entry, null));
  const all = [
    ...new Map(
      [embedding, ...(positions ? [positions] : []), ...blocks.flat(), ...head]
        .map((parameter) => [parameter.name, parameter] as const)
        .reverse(),
    ).values(),
  ].reverse();
  return { embedding, positions, blocks, head, all, count: all.reduce((sum, { shape }) => sum + elementCount(shape), 0) };
}

/** The names of the parameters that training changes; with adapters, those that have one. Errors: `BadTrainable` for a layer or name that the model does not have. */
export function trainableNames(list: ParameterList, trainable: Trainable): Set<string> {
  const lora = loraOf(trainable);
  if (lora) return new Set(loraTargets(list, lora).map(({ name }) => name));
  if (trainable === 'all') return new Set(list.all.map(({ name }) => name));
  if (trainable === 'mlp_attn') return new Set(list.all.filter(isLinearMap).map(({ name }) => name));
  if (Array.isArray(trainable)) {
    const known = new Set(list.all.map(({ name }) => name));
    const unknown = trainable.find((name) => !known.has(name));
    if (unknown !== undefined) {
      throw new HopscopeError(
        'BadTrainable',
        `trainable: the model has no parameter ${JSON.stringify(unknown)}; names are those of its safetensors file, such as ${list.embedding.name}.`,
      );
    }
    if (trainable.length === 0)
      throw new HopscopeError('BadTrainable', 'trainable: the list is empty; name at least one parameter.');
    return new Set(trainable);
  }
  const { layers, modules = ['mlp', 'attention'] } = trainable as LayerChoice;
  requireLayers(layers, list.blocks.length);
  const chosen = (parameter: Parameter) =>
    isLinearMap(parameter) && layers.includes(parameter.layer ?? -1) && modules.some((module) => module === parameter.group);
  return new Set(list.all.filter(chosen).map(({ name }) => name));
}
