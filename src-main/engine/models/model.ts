/**
 * An opened model: its family, configuration and parameters, checked against the folder's tensors, ready to load and run.
 * It holds no weights.
 */
import { freemem } from 'node:os';
import { HopscopeError } from '../../shared/errors.ts';
import type { ModelDescription } from '../../shared/records.ts';
import { type Checkpoint, openCheckpoint } from '../files/checkpoint.ts';
import { Tokenizer } from '../files/tokenizer.ts';
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
 * Errors: those of the folder, `UnsupportedFamily`, `BadConfiguration`, `MissingTensor`, `WrongShape`, `TokenizerDoesNotFit`.
 */
export async function openModel(folder: string): Promise<Model> {
  const checkpoint = openCheckpoint(folder);
  try {
    const family = familyOf(checkpoint.config);
    const configuration = family.configure(checkpoint.config);
    const parameters = listParameters(family, configuration);
    const warnings = [...checkpoint.warnings, ...checkTensors(checkpoint, parameters)];
    const tokenizer = await Tokenizer.open(folder);
    tokenizer.assertFits(configuration.vocabulary);
    return { folder, family, configuration, parameters, checkpoint, tokenizer, warnings };
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}

/** Returns warnings about tensors that the family has no use for. */
function checkTensors(checkpoint: Checkpoint, parameters: ParameterList): string[] {
  for (const { name, shape } of parameters.all) {
    const info = checkpoint.tensors.get(name);
    if (!info) {
      throw new HopscopeError(
        'MissingTensor',
        `${checkpoint.folder} has no tensor ${name}, which config.json calls for with shape [${shape.join(', ')}]; the download is incomplete or config.json belongs to another model.`,
      );
    }
    if (info.shape.join() !== shape.join()) {
      throw new HopscopeError(
        'WrongShape',
        `${checkpoint.folder}: tensor ${name} has shape [${info.shape.join(', ')}], config.json calls for [${shape.join(', ')}].`,
      );
    }
  }
  const known = new Set(parameters.all.map(({ name }) => name));
  const extra = [...checkpoint.tensors.keys()].filter((name) => !known.has(name) && !isBuffer(name));
  return extra.length > 0 ? [`${extra.length} tensors of the files are not used, such as ${extra[0]}.`] : [];
}

/** Older exports store constants such as rotary tables beside the parameters. */
const isBuffer = (name: string) => name.endsWith('rotary_emb.inv_freq');

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
