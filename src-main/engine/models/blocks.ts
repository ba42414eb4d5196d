/**
 * The parts that families are built from: linear maps, norms, rotary positions, causal grouped attention, gated MLPs, each as graph operators.
 * They know no family: what differs is passed in.
 */
import type { Value } from '../graph/graph.ts';
import type { BuildContext } from './family.ts';
import { rotaryTables } from './rotary.ts';

/** y = x W' (+ b): x [rows, in], W [out, in] as checkpoints keep it. Labels `role.x` and `role.y`. */
export function linear(context: BuildContext, x: Value, role: string, options: { bias?: boolean } = {}): Value {
  const product = context.graph.gemm(context.label(`${role}.x`, x), context.weight(role), false, true);
  return context.label(`${role}.y`, options.bias ? context.graph.add(product, context.weight(`${role}.bias`)) : product);
}

/** x / sqrt(mean x^2 + eps) * gain, over the last axis. */
export function rmsNorm(context: BuildContext, x: Value, role: string): Value {
  return context.graph.apply('RMSNormalization', [x, context.weight(role)], {
    axis: -1,
    epsilon: context.configuration.normEpsilon,
  });
}

/** Rotates pairs (k, k + size / 2) of each head by position x frequency. x [batch * positions, heads * size], the same back. */
export function rotate(context: BuildContext, x: Value, heads: number): Value {
  const { graph, batch, positions, configuration } = context;
  const { rotary, headSize } = configuration;
  if (!rotary) return x;
  const tables = shared(context, 'rotary', () => {
    const { cos, sin } = rotaryTables(rotary, positions);
    const shape = [positions, headSize / 2];
    const ids = BigInt64Array.from({ length: batch * positions }, (_, index) => BigInt(index % positions));
    return [
      graph.constant({ type: 'float32', shape, data: cos }),
      graph.constant({ type: 'float32', shape, data: sin }),
      graph.constant({ type: 'int64', shape: [batch, positions], data: ids }),
    ];
  });
  const rotated = graph.apply('RotaryEmbedding', [graph.reshape(x, [batch, positions, heads * headSize]), ...tables], {
    num_heads: heads,
  });
  return graph.reshape(rotated, [batch * positions, heads * headSize]);
}

/** The rows that are wanted behind attention, of a value over all of batch * positions. */
export function wantedRows({ graph, rows }: BuildContext, value: Value): Value {
  return rows ? graph.apply('Gather', [value, rows]) : value;
}

/**
 * Causal attention with grouped heads: z = softmax(q k' / sqrt(size) + mask) v, labelled attn.z, [batch * positions, heads * size] or its wanted rows.
 * q has `heads`, k and v have `keyValueHeads`; the queries of one group are stacked along the positions, so that the
 * gradients of k and v sum over the group inside the matrix product and nothing is repeated in memory.
 * Tokens are right-padded, so the causal mask alone keeps padding out of every real position.
 */
export function attention(context: BuildContext, q: Value, k: Value, v: Value, options: { scale?: number } = {}): Value {
  const { graph, batch, positions, configuration } = context;
  const { heads, keyValueHeads, headSize } = configuration;
  const group = heads / keyValueHeads;
  const queries = graph.reshape(
    graph.transpose(graph.reshape(q, [batch, positions, keyValueHeads, group, headSize]), [0, 2, 3, 1, 4]),
    [batch, keyValueHeads, group * positions, headSize],
  );
  const keys = graph.transpose(graph.reshape(k, [batch, positions, keyValueHeads, headSize]), [0, 2, 3, 1]);
  const values = graph.transpose(graph.reshape(v, [batch, positions, keyValueHeads, headSize]), [0, 2, 1, 3]);
  const scores = graph.scale(graph.matMul(queries, keys), options.scale ?? headSize ** -0.5);
  const biased = graph.add(graph.reshape(scores, [batch, keyValueHeads, group, positions, positions]), causalMask(context));
  const weights = context.label('attn.pattern', graph.apply('Softmax', [biased], { axis: 4 }));
  const mixed = graph.matMul(graph.reshape(weights, [batch, keyValueHeads, group * positions, positions]), values);
  const z = graph.transpose(graph.reshape(mixed, [batch, keyValueHeads, group, positions, headSize]), [0, 3, 1, 2, 4]);
  return context.label('attn.z', wantedRows(context, graph.reshape(z, [batch * positions, heads * headSize])));
}

/** down(silu(gate(x)) * up(x)); labels mlp.act (the last projection's input) and mlp.out. */
export function gatedMlp(context: BuildContext, x: Value): Value {
  const { graph } = context;
  const gate = linear(context, x, 'mlp.gate');
  const activated = graph.multiply(gate, graph.apply('Sigmoid', [gate]));
  const inner = context.label('mlp.act', graph.multiply(activated, linear(context, x, 'mlp.up')));
  return context.label('mlp.out', linear(context, inner, 'mlp.down'));
}

/** Large enough that its exponential is 0, small enough that sums with scores stay finite in float32 and float16. */
const masked = -60_000;

function causalMask(context: BuildContext): Value {
  const { graph, positions } = context;
  const [mask] = shared(context, 'causal', () => {
    const data = Float32Array.from({ length: positions * positions }, (_, index) =>
      index % positions > Math.floor(index / positions) ? masked : 0,
    );
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
