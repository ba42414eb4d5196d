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

/**
 * What trains: everything, the MLP and attention matrices (of all or some layers, or of all but some), parameters by name, or low-rank adapters
 * (`lora`: with all defaults). `except` is `mlp_attn` less what the choice in it names, so that exactly a layer's MLP or attention is frozen.
 */
export type Trainable = 'all' | 'mlp_attn' | 'lora' | LayerChoice | { except: LayerChoice } | { lora: LoraChoice } | string[];

const moduleNames = ['mlp', 'attention'] as const;

/** Matrices of some layers; of both kinds where `modules` is left out. */
export interface LayerChoice {
  layers: number[];
  modules?: (typeof moduleNames)[number][];
}

/** Why a value read from a file is no choice of layers, to be put after its name; null where it is one. Whether a model has them is `trainableNames`' to say. */
export function layerChoiceProblem(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not an object with layers and modules';
  const { layers, modules, ...others } = value as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return `has the unknown key ${JSON.stringify(unknown)}; known are layers, modules`;
  if (!Array.isArray(layers) || !layers.every((layer) => Number.isInteger(layer)))
    return 'has layers that are not a list of layer numbers, from 0';
  const isModules =
    modules === undefined ||
    (Array.isArray(modules) && modules.length > 0 && modules.every((name) => moduleNames.includes(name)));
  return isModules ? null : 'has modules that are not a list of mlp, attention or both';
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

/**
 * The names of the parameters that training changes; with adapters, those that have one.
 * Errors: `BadTrainable` for a layer or name that the model does not have, and where nothing would train.
 */
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
  const choice = trainable as LayerChoice | { except: LayerChoice };
  const isExcept = 'except' in choice;
  const { layers, modules = moduleNames } = isExcept ? choice.except : choice;
  requireLayers(layers, list.blocks.length);
  const isNamed = ({ layer, group }: Parameter) => layers.includes(layer ?? -1) && modules.some((module) => module === group);
  const chosen = list.all.filter((parameter) => isLinearMap(parameter) && isNamed(parameter) !== isExcept);
  if (chosen.length === 0)
    throw new HopscopeError('BadTrainable', 'trainable: `except` names every MLP and attention matrix; nothing would train.');
  return new Set(chosen.map(({ name }) => name));
}
