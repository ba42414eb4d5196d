/**
 * Low-rank adapters of linear maps: y = W x + (alpha / rank) B A x, with A [rank, in] and B [out, rank] as further parameters of the blocks, under
 * PEFT's names. It describes a model with adapters and draws their first values; training them is training/lora.ts's.
 */
import { Random } from '../../shared/random.ts';
import { Graph } from '../graph/graph.ts';
import { elementCount, type FloatTensor, floatTensor } from '../tensor.ts';
import type { ModelConfiguration, ModelFamily } from './family.ts';
import { type LoraSettings, loraOf, loraTargets, moduleName, withoutWeight } from './lora-targets.ts';
import { type Parameter, type ParameterList, type Trainable, trainableNames } from './parameters.ts';

/** The adapter of one matrix. */
export interface Adapter {
  target: Parameter;
  /** The module's name within its layer: `self_attn.q_proj`. */
  module: string;
  /** [rank, in] */
  a: Parameter;
  /** [out, rank] */
  b: Parameter;
  /** The target is [in, out] instead of [out, in]. */
  inputFirst: boolean;
}

/** What a model is to the programs, with adapters or without. */
interface Outline {
  family: ModelFamily;
  configuration: ModelConfiguration;
  parameters: ParameterList;
  /** Factor on what adapters give. */
  adapterScale?: number;
}

export interface Training {
  /** What gradients are taken in: the model, with its adapters where there are any. */
  outline: Outline;
  /** What has gradients and moments. */
  names: ReadonlySet<string>;
  adapters: readonly Adapter[];
  lora: LoraSettings | null;
}

/** The roles of an adapter's two matrices. */
export const adapterRoles = (role: string): { a: string; b: string } => ({ a: `${role}.lora_A`, b: `${role}.lora_B` });

/** What a choice of trained parameters makes of a model. Errors: `BadTrainable`. */
export function trainingOf({ family, configuration, parameters }: Outline, trainable: Trainable): Training {
  const lora = loraOf(trainable);
  if (!lora) {
    const outline = { family, configuration, parameters };
    return { outline, names: trainableNames(parameters, trainable), adapters: [], lora };
  }
  const adapters = listAdapters({ family, configuration, parameters }, lora);
  const matrices = adapters.flatMap(({ a, b }) => [a, b]);
  const rolesOf = (layer: number) => matrices.filter((matrix) => matrix.layer === layer).map(({ role }) => role);
  return {
    outline: {
      // Layers share programs only where the same maps have adapters
      family: { ...family, layerKind: (...of) => [family.layerKind(...of), ...rolesOf(of[1])].join(' ') },
      configuration,
      parameters: {
        ...parameters,
        blocks: parameters.blocks.map((block, layer) => [...block, ...matrices.filter((matrix) => matrix.layer === layer)]),
        all: [...parameters.all, ...matrices],
        count: matrices.reduce((sum, { shape }) => sum + elementCount(shape), parameters.count),
      },
      adapterScale: lora.alpha / lora.rank,
    },
    names: new Set(matrices.map(({ name }) => name)),
    adapters,
    lora,
  };
}

function listAdapters(outline: Outline, lora: LoraSettings): Adapter[] {
  const { family, configuration, parameters } = outline;
  // PEFT's names are those of the modules, whatever the files leave out in front
  const full = new Map(family.parameters(configuration).block.map(({ role, name }) => [role, name]));
  const inputFirst = inputFirstRoles(outline);
  return loraTargets(parameters, lora).map((target) => {
    const { role, shape, group, layer } = target;
    const [first, second] = shape as [number, number];
    const [input, output] = inputFirst.has(role) ? [first, second] : [second, first];
    const path = withoutWeight(full.get(role)!.replace('{i}', String(layer)));
    const matrix = (part: 'A' | 'B', size: number[]): Parameter => ({
      role: part === 'A' ? adapterRoles(role).a : adapterRoles(role).b,
      name: `base_model.model.${path}.lora_${part}.weight`,
      shape: size,
      group,
      layer,
    });
    return {
      target,
      module: moduleName(target),
      a: matrix('A', [lora.rank, input]),
      b: matrix('B', [output, lora.rank]),
      inputFirst: inputFirst.has(role),
    };
  });
}

/** Roles of the matrices that are [in, out], as the family's own block multiplies with them. */
function inputFirstRoles({ family, configuration, parameters }: Outline): Set<string> {
  const graph = new Graph('forms of linear maps');
  const weights = new Map((parameters.blocks[0] ?? []).map(({ role, shape }) => [role, graph.input(role, shape)]));
  const context = { graph, configuration, batch: 1, positions: 1, layer: 0 };
  family.block(
    { ...context, weight: (role) => weights.get(role)!, label: (_, value) => value },
    graph.input('x', [1, configuration.hidden]),
  );
  const isUntransposed = (role: string) =>
    graph.nodes.some(({ op, inputs, attributes }) => op === 'Gemm' && inputs[1] === weights.get(role) && attributes.transB === 0);
  return new Set([...weights.keys()].filter(isUntransposed));
}

/**
 * First values as PEFT's: A uniform in +-1 / sqrt(in) (He et al.'s with a = sqrt 5), B zero, so that training begins with the model as it is. What
 * a matrix gets depends on the seed and its name alone.
 */
export function firstValues(adapters: readonly Adapter[], { seed }: LoraSettings): Map<string, FloatTensor> {
  return new Map(
    adapters.flatMap(({ a, b }) => {
      const random = new Random(`lora ${seed} ${a.name}`);
      const bound = 1 / Math.sqrt(a.shape[1]!);
      const values = Float32Array.from({ length: elementCount(a.shape) }, () => bound * (2 * random.next() - 1));
      return [[a.name, floatTensor(a.shape, values)] as const, [b.name, floatTensor(b.shape)] as const];
    }),
  );
}
