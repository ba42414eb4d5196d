/**
 * An opened model: its family, configuration and parameters, checked against the folder's tensors, ready to load and run.
 * It holds no weights.
 */
import { freemem } from 'node:os';
import { HopscopeError } from '../../shared/errors.ts';
import type { ModelDescription } from '../../shared/records.ts';
import { type Checkpoint, openCheckpoint } from '../files/checkpoint.ts';
import { Tokenizer } from '../files/tokenizer.ts';
import type { Tensor } from '../tensor.ts';
import { outputName } from './decoder.ts';
import type { ModelConfiguration, ModelFamily } from './family.ts';
import { familyOf } from './index.ts';
import { listParameters, type ParameterList, trainableNames } from './parameters.ts';

export interface Model {
  folder: string;
  family: ModelFamily;
  configuration: ModelConfiguration;
  parameters: ParameterList;
  checkpoint: Checkpoint;
  tokenizer: Tokenizer;
  warnings: string[];
}

/**
 * Opens a model folder and checks that every parameter is there in its shape and that the tokenizer's ids fit.
 * Errors: those of the folder, `UnsupportedFamily`, `BadConfiguration`, `TiedContradiction`, `MissingTensor`, `WrongShape`, `TokenizerDoesNotFit`.
 */
export async function openModel(folder: string): Promise<Model> {
  const checkpoint = openCheckpoint(folder);
  try {
    const outline = outlineOf(checkpoint);
    const { configuration } = outline;
    const warnings = [...checkpoint.warnings, ...checkTensors(checkpoint, outline)];
    const tokenizer = await Tokenizer.open(folder);
    tokenizer.assertFits(configuration.vocabulary);
    return { folder, ...outline, checkpoint, tokenizer, warnings };
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}

/** Family, configuration and parameters under the names of the folder's files; the tensors are not yet checked. Errors: `UnsupportedFamily`, `BadConfiguration`. */
export function outlineOf({ config, tensors }: Checkpoint): Pick<Model, 'family' | 'configuration' | 'parameters'> {
  const family = familyOf(config);
  const configuration = family.configure(config);
  return { family, configuration, parameters: listParameters(family, configuration, tensors) };
}

/** Returns warnings about tensors that the family has no use for. */
function checkTensors(checkpoint: Checkpoint, { family, configuration, parameters }: ReturnType<typeof outlineOf>): string[] {
  const { folder, tensors } = checkpoint;
  const { embedding } = parameters;
  const outputRows = tensors.get(outputName);
  if (!configuration.tiedEmbeddings && !outputRows && tensors.has(embedding.name)) {
    throw new HopscopeError(
      'TiedContradiction',
      `${folder} has no tensor ${outputName} [${embedding.shape.join(', ')}], but its config.json does not tie the output matrix to ${embedding.name}. If the model does, set tie_word_embeddings to true; else the download is incomplete.`,
    );
  }
  for (const { name, shape } of parameters.all) {
    const info = tensors.get(name);
    if (!info) {
      throw new HopscopeError(
        'MissingTensor',
        `${folder} has no tensor ${name}, which config.json calls for with shape [${shape.join(', ')}]; the download is incomplete or config.json belongs to another model.`,
      );
    }
    if (info.shape.join() !== shape.join()) {
      throw new HopscopeError(
        'WrongShape',
        `${folder}: tensor ${name} has shape [${info.shape.join(', ')}], config.json calls for [${shape.join(', ')}].`,
      );
    }
  }
  if (configuration.tiedEmbeddings && outputRows && !sameContents(checkpoint, embedding.name, outputName)) {
    throw new HopscopeError(
      'TiedContradiction',
      `${folder}: config.json ties the output matrix to ${embedding.name} [${embedding.shape.join(', ')}], but there is a tensor ${outputName} [${outputRows.shape.join(', ')}] with other values. If the model has its own output matrix, set tie_word_embeddings to false.`,
    );
  }
  const known = new Set(parameters.all.map(({ name }) => name));
  if (configuration.tiedEmbeddings) known.add(outputName);
  const buffers = [...rotaryBuffers, ...(family.bufferSuffixes ?? [])];
  const extra = [...tensors.keys()].filter((name) => !known.has(name) && !buffers.some((suffix) => name.endsWith(suffix)));
  return extra.length > 0 ? [`${extra.length} tensors of the files are not used, such as ${extra[0]}.`] : [];
}

/** Some exports of tied models hold the matrix twice. */
function sameContents(checkpoint: Checkpoint, left: string, right: string): boolean {
  const [a, b] = [checkpoint.read(left), checkpoint.read(right)];
  const bytes = ({ data }: Tensor) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return a.type === b.type && Buffer.compare(bytes(a), bytes(b)) === 0;
}

/** Older exports store constants such as rotary tables beside the parameters. */
const rotaryBuffers = ['rotary_emb.inv_freq'];

/** What `hopscope model` prints. */
export function describeModel({ folder, family, configuration, parameters, checkpoint, tokenizer }: Model): ModelDescription {
  const bytesOf = (names: ReadonlySet<string>) =>
    parameters.all.reduce((sum, { name, shape }) => (names.has(name) ? sum + 4 * shape.reduce((a, b) => a * b, 1) : sum), 0);
  const weights = parameters.count * 4;
  // Activations of a batch of 20 texts of 32 tokens: block inputs kept, one block's inner values at a time
  const tokens = 20 * 32;
  const inner = tokens * (configuration.hidden * 8 + configuration.intermediate * 6 + configuration.heads * 32 * 3) * 4;
  const kept = tokens * configuration.hidden * configuration.layers * 4;
  const logits = tokens * configuration.vocabulary * 4;
  const overhead = 150 * 2 ** 20;
  const forward = weights + inner + logits + overhead;
  const training = (names: ReadonlySet<string>) => forward + kept + 4 * bytesOf(names);
  return {
    path: folder,
    family: family.modelTypes.find((type) => type === checkpoint.config.model_type) ?? configuration.family,
    layers: configuration.layers,
    heads: configuration.heads,
    kv_heads: configuration.keyValueHeads,
    hidden: configuration.hidden,
    vocabulary: configuration.vocabulary,
    parameters: parameters.count,
    dtype: checkpoint.dtype,
    tied_embeddings: configuration.tiedEmbeddings,
    context: configuration.context,
    tokenizer: tokenizer.kind,
    memory: {
      forward: Math.round(forward),
      scores: Math.round(forward + kept + weights),
      train_all: Math.round(training(trainableNames(parameters, 'all'))),
      train_mlp_attn: Math.round(training(trainableNames(parameters, 'mlp_attn'))),
      available: freemem(),
    },
  };
}
