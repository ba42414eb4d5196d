/**
 * The contract of a model family: which configuration it reads, which parameters it has, and how its blocks and head are built from graph operators.
 * A family is one declarative file; nothing here runs a model.
 */
import type { Graph, Value } from '../graph/graph.ts';

/** Parsed config.json, not yet trusted. */
export type RawConfiguration = Readonly<Record<string, unknown>>;

/** Rotary positions: `frequencies[k]` is the angle per position of pair k, in radians; a head's elements beyond the pairs are not turned. */
export interface Rotary {
  frequencies: Float64Array;
}

/** What every family has, under names that mean the same everywhere. */
export interface ModelConfiguration {
  family: string;
  layers: number;
  heads: number;
  keyValueHeads: number;
  headSize: number;
  hidden: number;
  intermediate: number;
  vocabulary: number;
  context: number;
  normEpsilon: number;
  rotary: Rotary | null;
  tiedEmbeddings: boolean;
  /** Factor on the embedding's rows before layer 0. */
  embeddingScale: number;
  /** Per layer: how many positions attention looks back over, itself among them; null: all. */
  slidingWindows: readonly (number | null)[];
  /** Factor on the products of queries and keys. */
  attentionScale: number;
  /** Attention scores s become c tanh(s / c) before the mask; null: left as they are. */
  attentionSoftcap: number | null;
  /** Logits likewise. */
  logitSoftcap: number | null;
  /** Outputs of q, k and v are clamped to [-c, c]; null: left as they are. */
  projectionClip: number | null;
  /** Roles of linear maps that have a bias: a parameter of the role `ROLE.bias`. */
  biases: readonly string[];
  /** Attention and MLP both read the layer's input, instead of the MLP reading what attention has added to it. */
  parallelResidual: boolean;
}

/** What a parameter belongs to; `trainable: mlp_attn` and freezing follow from it. */
export type ParameterGroup = 'embedding' | 'attention' | 'mlp' | 'norm' | 'head';

/** One parameter: its role in the graphs and its name in files, `{i}` standing for the layer. */
export interface ParameterSpecification {
  role: string;
  name: string;
  shape: readonly number[];
  group: ParameterGroup;
}

export interface ParameterTable {
  /** Rows looked up by token before layer 0. */
  embedding: ParameterSpecification;
  /** Rows added to those by position, one per position of the context; absent where positions are not learned. */
  positions?: ParameterSpecification;
  /** One layer's parameters. */
  block: ParameterSpecification[];
  /** Final norm and output matrix; where embeddings are tied the matrix is the embedding's. */
  head: ParameterSpecification[];
}

/** What a block or head is built with. The residual stream is [batch * positions, hidden]. */
export interface BuildContext {
  graph: Graph;
  configuration: ModelConfiguration;
  batch: number;
  positions: number;
  /** The graph input that holds the parameter of this role. */
  weight(role: string): Value;
  /**
   * Names a value for observers, within the layer: `attn.z` becomes `layers.3.attn.z`. What it returns is what the block must go on with:
   * the same value, or what an intervention puts in its place.
   */
  label(name: string, value: Value): Value;
  /**
   * Indices into batch * positions that alone are wanted behind this block's attention; absent: all. The last block of a program that reads
   * a few positions needs no others, since nothing mixes positions after attention.
   */
  rows?: Value;
  /** Index of the layer being built; families with layers of several kinds look at it. */
  layer: number;
}

export interface ModelFamily {
  /** config.json's model_type values that this family reads. */
  modelTypes: readonly string[];
  /** What the table's names begin with in some files of the family and not in others. */
  optionalPrefix?: string;
  /** The output matrix's name where it is not the embedding; absent: lm_head.weight. */
  outputName?: string;
  /** Ends of names under which some files of the family keep constants beside the parameters. */
  bufferSuffixes?: readonly string[];
  /** Errors: `BadConfiguration` naming the field. */
  configure(raw: RawConfiguration): ModelConfiguration;
  parameters(configuration: ModelConfiguration): ParameterTable;
  /**
   * x [batch * positions, hidden] -> the same shape, or only the context's `rows` of it. Labels: attn.in and mlp.in (what the first maps of attention and MLP read), attn.pattern,
   * attn.z (heads' outputs before the output projection), attn.out, mlp.act (what the last projection reads), mlp.out, and of every linear map
   * of role r its input `r.x` and its output `r.y` (before any clipping).
   */
  block(context: BuildContext, x: Value): Value;
  /** x [rows, hidden] -> the final norm's output, labelled final_norm. */
  finalNorm(context: BuildContext, x: Value): Value;
  /** Normed rows -> logits [rows, vocabulary]. */
  logits(context: BuildContext, x: Value): Value;
  /** Layers that share programs have the same kind; usually one kind for all. */
  layerKind(configuration: ModelConfiguration, layer: number): string;
}
