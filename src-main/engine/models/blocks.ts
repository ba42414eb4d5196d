/**
 * The parts that families are built from: linear maps, norms, rotary positions, causal grouped attention, MLPs, each as graph operators.
 * They know no family: what differs is passed in.
 */
import type { Value } from '../graph/graph.ts';
import type { BuildContext } from './family.ts';
import { rotaryTables } from './rotary.ts';

/** How a linear map is stored. */
export interface LinearForm {
  /** The matrix is [in, out]; checkpoints usually keep [out, in]. */
  inputFirst?: boolean;
}

/** y = x W' (+ b where the configuration gives the role a bias): x [rows, in], W [out, in]. Labels `role.x` and `role.y`. */
export function linear(context: BuildContext, x: Value, role: string, options: LinearForm = {}): Value {
  const product = context.graph.gemm(context.label(`${role}.x`, x), context.weight(role), false, !options.inputFirst);
  const hasBias = context.configuration.biases.includes(role);
  return context.label(`${role}.y`, hasBias ? context.graph.add(product, context.weight(`${role}.bias`)) : product);
}

/** x / sqrt(mean x^2 + eps) * gain, over the last axis; the gain is the role's weight unless another is given. */
export function rmsNorm(context: BuildContext, x: Value, role: string, gain = context.weight(role)): Value {
  return context.graph.apply('RMSNormalization', [x, gain], { axis: -1, epsilon: context.configuration.normEpsilon });
}

/** (x - mean x) / sqrt(var x + eps) * gain + bias, over the last axis. */
export function layerNorm(context: BuildContext, x: Value, role: string): Value {
  return normalizeLayer(context, x, [context.weight(role), context.weight(`${role}.bias`)]);
}

/** The same without gain and bias. */
export function plainLayerNorm(context: BuildContext, x: Value): Value {
  const width = x.shape.at(-1)!;
  const ones = shared(context, `ones ${width}`, () => [
    context.graph.constant({ type: 'float32', shape: [width], data: new Float32Array(width).fill(1) }),
  ]);
  return normalizeLayer(context, x, ones);
}

function normalizeLayer({ graph, configuration }: BuildContext, x: Value, gainAndBias: readonly Value[]): Value {
  return graph.apply('LayerNormalization', [x, ...gainAndBias], { axis: -1, epsilon: configuration.normEpsilon });
}

/** x sigmoid(x). */
export function silu({ graph }: BuildContext, x: Value): Value {
  return graph.multiply(x, graph.apply('Sigmoid', [x]));
}

/** x / 2 (1 + tanh u), u = sqrt(2 / pi) (x + 0.044715 x^3); (1 + tanh u) / 2 = sigmoid(2 u). */
export function tanhGelu({ graph }: BuildContext, x: Value): Value {
  const slope = 2 * Math.sqrt(2 / Math.PI);
  const cubic = graph.scale(graph.multiply(x, x), slope * 0.044715);
  const twice = graph.multiply(x, graph.add(cubic, graph.scalar(slope)));
  return graph.multiply(x, graph.apply('Sigmoid', [twice]));
}

/** x Phi(x) = x (1 + erf(x / sqrt 2)) / 2. */
export function exactGelu({ graph }: BuildContext, x: Value): Value {
  const error = graph.apply('Erf', [graph.scale(x, Math.SQRT1_2)]);
  return graph.multiply(graph.scale(x, 0.5), graph.add(error, graph.scalar(1)));
}

/** c tanh(factor x / c); without a cap, factor x. */
export function softcap({ graph }: BuildContext, x: Value, cap: number | null, factor = 1): Value {
  if (cap === null) return graph.scale(x, factor);
  return graph.scale(graph.apply('Tanh', [graph.scale(x, factor / cap)]), cap);
}

/** Rotates pairs (k, k + number of pairs) of each head by position x frequency. x [batch * positions, heads * size], the same back. */
export function rotate(context: BuildContext, x: Value, heads: number): Value {
  const { graph, batch, positions, configuration } = context;
  const { rotary, headSize } = configuration;
  if (!rotary) return x;
  const tables = shared(context, 'rotary', () => {
    const { cos, sin } = rotaryTables(rotary, positions);
    const shape = [positions, rotary.frequencies.length];
    const ids = BigInt64Array.from({ length: batch * positions }, (_, index) => BigInt(index % positions));
    return [
      graph.constant({ type: 'float32', shape, data: cos }),
      graph.constant({ type: 'float32', shape, data: sin }),
      graph.constant({ type: 'int64', shape: [batch, positions], data: ids }),
    ];
  });
  const rotated = graph.apply('RotaryEmbedding', [graph.reshape(x, [batch, positions, heads * headSize]), ...tables], {
    num_heads: heads,
    // 0 stands for the whole head
    rotary_embedding_dim: 2 * rotary.frequencies.length === headSize ? 0 : 2 * rotary.frequencies.length,
  });
  return graph.reshape(rotated, [batch * positions, heads * headSize]);
}

/** The rows that are wanted behind attention, of a value over all of batch * positions. */
export function wantedRows({ graph, rows }: BuildContext, value: Value): Value {
  return rows ? graph.apply('Gather', [value, rows]) : value;
}

/** x + attention(x), then + mlp of that; both norm what they read or give as the family has it. */
export function residualBlock(context: BuildContext, x: Value, attention: (x: Value) => Value, mlp: (x: Value) => Value): Value {
  const attended = attention(x);
  const middle = context.graph.add(wantedRows(context, x), attended);
  return context.graph.add(middle, mlp(middle));
}

/**
 * x + attention(x) + mlp(x): neither reads what the other gives. So within a layer no score of attention holds a path through the MLP, and an MLP
 * whose layer's heads are ablated still reads what it read.
 */
export function parallelBlock(context: BuildContext, x: Value, attention: (x: Value) => Value, mlp: (x: Value) => Value): Value {
  const wanted = wantedRows(context, x);
  return context.graph.add(context.graph.add(wanted, attention(x)), mlp(wanted));
}

/**
 * Causal attention with grouped heads: z = softmax(softcap(q k' scale) + mask) v, labelled attn.z, [batch * positions, heads * size] or its wanted rows.
 * q has `heads`, k and v have `keyValueHeads`; the queries of one group are stacked along the positions, so that the
 * gradients of k and v sum over the group inside the matrix product and nothing is repeated in memory.
 * Tokens are right-padded, so the causal mask alone keeps padding out of every real position.
 */
export function attention(context: BuildContext, q: Value, k: Value, v: Value): Value {
  const { graph, batch, positions, configuration, layer } = context;
  const { heads, keyValueHeads, headSize, attentionScale, attentionSoftcap, slidingWindows } = configuration;
  const group = heads / keyValueHeads;
  const queries = graph.reshape(
    graph.transpose(graph.reshape(q, [batch, positions, keyValueHeads, group, headSize]), [0, 2, 3, 1, 4]),
    [batch, keyValueHeads, group * positions, headSize],
  );
  const keys = graph.transpose(graph.reshape(k, [batch, positions, keyValueHeads, headSize]), [0, 2, 3, 1]);
  const values = graph.transpose(graph.reshape(v, [batch, positions, keyValueHeads, headSize]), [0, 2, 1, 3]);
  const scores = softcap(context, graph.matMul(queries, keys), attentionSoftcap, attentionScale);
  const mask = causalMask(context, slidingWindows[layer] ?? null);
  const biased = graph.add(graph.reshape(scores, [batch, keyValueHeads, group, positions, positions]), mask);
  const weights = context.label('attn.pattern', graph.apply('Softmax', [biased], { axis: 4 }));
  const mixed = graph.matMul(graph.reshape(weights, [batch, keyValueHeads, group * positions, positions]), values);
  const z = graph.transpose(graph.reshape(mixed, [batch, keyValueHeads, group, positions, headSize]), [0, 3, 1, 2, 4]);
  return context.label('attn.z', wantedRows(context, graph.reshape(z, [batch * positions, heads * headSize])));
}

/** A nonlinearity, element by element. */
export type Activation = (context: BuildContext, x: Value) => Value;

/** down(activation(gate(x)) * up(x)); labels mlp.in, mlp.act (the last projection's input) and mlp.out. */
export function gatedMlp(context: BuildContext, x: Value, activation: Activation): Value {
  const read = context.label('mlp.in', x);
  const activated = activation(context, linear(context, read, 'mlp.gate'));
  const inner = context.label('mlp.act', context.graph.multiply(activated, linear(context, read, 'mlp.up')));
  return context.label('mlp.out', linear(context, inner, 'mlp.down'));
}

/** down(activation(up(x))), with the same labels. */
export function plainMlp(context: BuildContext, x: Value, activation: Activation, form: LinearForm = {}): Value {
  const up = linear(context, context.label('mlp.in', x), 'mlp.up', form);
  return context.label('mlp.out', linear(context, context.label('mlp.act', activation(context, up)), 'mlp.down', form));
}

/** Large enough that its exponential is 0, small enough that sums with scores stay finite in float32 and float16. */
const masked = -60_000;

/** 0 where position i may see j, i - window < j <= i. */
function causalMask(context: BuildContext, window: number | null): Value {
  const { graph, positions } = context;
  const reach = Math.min(window ?? positions, positions);
  const [mask] = shared(context, `causal ${reach}`, () => {
    const data = Float32Array.from({ length: positions * positions }, (_, index) => {
      const distance = Math.floor(index / positions) - (index % positions);
      return distance < 0 || distance >= reach ? masked : 0;
    });
    return [graph.constant({ type: 'float32', shape: [positions, positions], data })];
  });
  return mask!;
}

const sharedConstants = new WeakMap<object, Map<string, Value[]>>();

/** Constants that all layers of one graph share. */
function shared({ graph }: BuildContext, key: string, make: () => Value[]): Value[] {
  let ofGraph = sharedConstants.get(graph);
  if (!ofGraph) {
    ofGraph = new Map();
    sharedConstants.set(graph, ofGraph);
  }
  let values = ofGraph.get(key);
  if (!values) {
    values = make();
    ofGraph.set(key, values);
  }
  return values;
}
