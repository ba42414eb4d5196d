/**
 * Adam on tensors of the device: the same update as the kernels', as programs that write weights and moments where they lie.
 * It does not know where gradients come from, and counts no steps.
 */
import { Graph, type Value } from '../graph/graph.ts';
import type { AdamStep } from '../kernels/kernels.ts';
import { floatTensor, type Tensor } from '../tensor.ts';
import type { DeviceMemory } from './device-memory.ts';
import type { DeviceTensor } from './device-tensor.ts';
import { Session } from './session.ts';

/** A trained tensor, or a piece of one, with its moments; all of one shape. */
export interface DeviceState {
  weight: DeviceTensor<'float32'>;
  m: DeviceTensor<'float32'>;
  v: DeviceTensor<'float32'>;
}

/** The constants of a step as the programs take them. */
const constantNames = ['scale', 'towards', 'beta2', 'share', 'root', 'epsilon', 'change', 'keep', 'one'] as const;
type ConstantName = (typeof constantNames)[number];

/** Numbers of rows are rounded up to this, so that batches with a few rows more or less share a program. */
const rowMultiple = 16;

export class DeviceAdam {
  readonly #memory: DeviceMemory;
  readonly #constants: ReadonlyMap<ConstantName, DeviceTensor<'float32'>>;
  readonly #sessions = new Map<string, Session>();

  constructor(memory: DeviceMemory) {
    this.#memory = memory;
    this.#constants = new Map(constantNames.map((name) => [name, memory.allocate('float32', [1])]));
  }

  /** Frees the programs and constants. */
  release(): void {
    for (const session of this.#sessions.values()) session.release();
    this.#sessions.clear();
    for (const tensor of this.#constants.values()) tensor.dispose();
  }

  /** Sets the constants of the step that `update` takes from now on. */
  begin({ learningRate, beta1, beta2, epsilon, correction1, correction2, decay, gradientScale }: AdamStep): void {
    const values: Record<ConstantName, number> = {
      scale: gradientScale,
      towards: 1 - beta1,
      beta2,
      share: 1 - beta2,
      root: Math.sqrt(correction2),
      epsilon,
      change: -learningRate / correction1,
      keep: 1 - learningRate * decay,
      one: 1,
    };
    for (const name of constantNames)
      this.#memory.write(floatTensor([1], Float32Array.of(values[name])), this.#constants.get(name)!);
  }

  /** One step in place. `decays`: whether the step's weight decay applies to this tensor. Errors: those of `Session.run`. */
  async update({ weight, m, v }: DeviceState, gradient: DeviceTensor<'float32'>, decays = true): Promise<void> {
    const session = await this.#session(`adam ${weight.shape}`, () => adamGraph(weight.shape));
    const constants = Object.fromEntries(this.#constants);
    const keep = decays ? this.#constants.get('keep')! : this.#constants.get('one')!;
    session.run({ ...constants, keep, weight, m, v, gradient }, { 'next weight': weight, 'next m': m, 'next v': v });
  }

  /**
   * target[rows[r]] += values[r] for rows of a matrix's width; `fresh`: the matrix is taken to be 0 before. Rows may repeat.
   * `values` is [rows, width].
   */
  async addRows(target: DeviceTensor<'float32'>, rows: Int32Array, values: Float32Array, fresh: boolean): Promise<void> {
    const width = target.shape[1]!;
    const count = Math.ceil(Math.max(rows.length, 1) / rowMultiple) * rowMultiple;
    // Rows that are made up add zeros to row 0
    const updates = floatTensor([count, width]);
    updates.data.set(values);
    const indices: Tensor = {
      type: 'int64',
      shape: [count, 1],
      data: BigInt64Array.from({ length: count }, (_, index) => BigInt(rows[index] ?? 0)),
    };
    const session = await this.#session(`rows ${target.shape} ${count} ${fresh}`, () => rowsGraph(target.shape, count, fresh));
    session.run({ ...(fresh ? {} : { target }), indices, updates }, { sum: target });
  }

  /** Sum of squares of a tensor, in float32 as the device sums it. Waits for the device. */
  async sumOfSquares(tensor: DeviceTensor<'float32'>): Promise<number> {
    const session = await this.#session(`squares ${tensor.shape}`, () => squaresGraph(tensor.shape));
    const sum = floatTensor([1]);
    session.run({ x: tensor }, { sum });
    return sum.data[0]!;
  }

  async #session(key: string, build: () => Graph): Promise<Session> {
    let session = this.#sessions.get(key);
    if (!session) {
      session = await Session.compile(build(), { device: this.#memory.device, threads: 1, name: key });
      this.#sessions.set(key, session);
    }
    return session;
  }
}

/**
 * The kernels' update in their order of operations. Results overwrite weight, m and v, and WebGPU forbids an operator to write what it reads;
 * so each of the three is read by a product alone, of which the operator that overwrites it takes the result.
 */
function adamGraph(shape: readonly number[]): Graph {
  const graph = new Graph('adam');
  const [weight, m, v, gradient] = ['weight', 'm', 'v', 'gradient'].map((name) => graph.input(name, shape)) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const constants = new Map(constantNames.map((name) => [name, graph.input(name, [1])]));
  const constant = (name: ConstantName) => constants.get(name)!;
  const g = graph.multiply(gradient, constant('scale'));
  const nextM = graph.add(graph.multiply(m, constant('one')), graph.multiply(graph.subtract(g, m), constant('towards')));
  const nextV = graph.add(graph.multiply(v, constant('beta2')), graph.multiply(constant('share'), graph.multiply(g, g)));
  const root = graph.divide(graph.apply('Sqrt', [nextV]), constant('root'));
  const step = graph.multiply(constant('change'), graph.divide(nextM, graph.add(root, constant('epsilon'))));
  graph.output('next weight', graph.add(graph.multiply(weight, constant('keep')), step));
  graph.output('next m', nextM);
  graph.output('next v', nextV);
  return graph;
}

function rowsGraph(shape: readonly number[], count: number, fresh: boolean): Graph {
  const graph = new Graph('rows');
  const target = fresh ? graph.zeros(shape) : graph.input('target', shape);
  const indices = graph.input('indices', [count, 1], 'int64');
  const updates = graph.input('updates', [count, shape[1]!]);
  graph.output('sum', graph.apply('ScatterND', [target, indices, updates], { reduction: 'add' }));
  return graph;
}

function squaresGraph(shape: readonly number[]): Graph {
  const graph = new Graph('squares');
  const x = graph.input('x', shape);
  const rows = graph.reduceSum(graph.multiply(x, x), [shape.length - 1], false);
  const axes = shape.slice(1).map((_, axis) => axis);
  graph.output('sum', graph.reshape(axes.length > 0 ? graph.reduceSum(rows, axes, false) : rows, [1]));
  return graph;
}
