/**
 * An opened model: its family, configuration and parameters, checked against the folder's tensors, ready to load and run.
 * It holds no weights.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { type Checkpoint, openCheckpoint } from '../files/checkpoint.ts';
import { isJsonObject } from '../files/strict-json.ts';
import { Tokenizer } from '../files/tokenizer.ts';
import { bytesOf } from '../tensor.ts';
import { usualOutputName } from './decoder.ts';
import type { ModelConfiguration, ModelFamily } from './family.ts';
import { familyOf } from './index.ts';
import { listParameters, type ParameterList } from './parameters.ts';

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
 * Opens a model folder and checks that it has every parameter in its shape and no other, and that the tokenizer's ids fit.
 * Errors: those of the folder, `UnsupportedFamily`, `BadConfiguration`, `TiedContradiction`, `MissingTensor`, `ExtraTensor`, `WrongShape`,
 * `UnsupportedDtype`, `TokenizerDoesNotFit`.
 */
export async function openModel(folder: string): Promise<Model> {
  const checkpoint = openCheckpoint(folder);
  try {
    const outline = outlineOf(checkpoint);
    checkTensors(checkpoint, outline);
    const tokenizer = await Tokenizer.open(folder);
    tokenizer.assertFits(outline.parameters.embedding);
    return { folder, ...outline, checkpoint, tokenizer, warnings: [...checkpoint.warnings] };
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

/** Compares the folder's tensors with those that config.json calls for; every message names the tensor and both shapes. */
function checkTensors(checkpoint: Checkpoint, { family, configuration, parameters }: ReturnType<typeof outlineOf>): void {
  const { folder, tensors } = checkpoint;
  const { embedding } = parameters;
  const { outputName = usualOutputName } = family;
  const outputRows = tensors.get(outputName);
  if (!configuration.tiedEmbeddings && !outputRows && tensors.has(embedding.name)) {
    throw new HopscopeError(
      'TiedContradiction',
      `${folder} has no tensor ${outputName} ${listed(embedding.shape)}, but its config.json does not tie the output matrix to ${embedding.name} ${listed(tensors.get(embedding.name)!.shape)}. If the model does, set tie_word_embeddings to true; else the download is incomplete.`,
    );
  }
  for (const { name, shape } of parameters.all) {
    const info = tensors.get(name);
    if (!info) {
      throw new HopscopeError(
        'MissingTensor',
        `${folder} has no tensor ${name}, which config.json calls for with shape ${listed(shape)}; ${causeOf(checkpoint, 'the download is incomplete or config.json belongs to another model')}.`,
      );
    }
    if (info.type !== 'float32' && info.type !== 'bfloat16' && info.type !== 'float16') {
      throw new HopscopeError(
        'UnsupportedDtype',
        `${folder}: tensor ${name} is ${info.dtype} ${listed(info.shape)}, config.json calls for F32, BF16 or F16 ${listed(shape)}; ${causeOf(checkpoint, 'convert the model first')}.`,
      );
    }
    if (info.shape.join() !== shape.join()) {
      throw new HopscopeError(
        'WrongShape',
        `${folder}: tensor ${name} has shape ${listed(info.shape)}, config.json calls for ${listed(shape)}; ${causeOf(checkpoint, 'config.json belongs to another model, or the file is damaged')}.`,
      );
    }
  }
  if (configuration.tiedEmbeddings && outputRows && !sameContents(checkpoint, embedding.name, outputName)) {
    const difference = outputRows.shape.join() === embedding.shape.join() ? 'with other values' : 'of another shape';
    throw new HopscopeError(
      'TiedContradiction',
      `${folder}: config.json ties the output matrix to ${embedding.name} ${listed(embedding.shape)}, but there is a tensor ${outputName} ${listed(outputRows.shape)} ${difference}. If the model has its own output matrix, set tie_word_embeddings to false.`,
    );
  }
  refuseExtra(checkpoint, parameters, [outputName, ...rotaryBuffers, ...(family.bufferSuffixes ?? [])]);
}

/** A tensor that nothing reads means that the files hold another model than the one that would be computed. Those whose names end as `allowed` says may be there. */
function refuseExtra({ folder, tensors, config }: Checkpoint, { all }: ParameterList, allowed: readonly string[]): void {
  const known = new Set(all.map(({ name }) => name));
  const extra = [...tensors].filter(([name]) => !known.has(name) && !allowed.some((suffix) => name.endsWith(suffix)));
  const first = extra[0];
  if (!first) return;
  const others = extra.length > 1 ? ` and ${extra.length - 1} others` : '';
  throw new HopscopeError(
    'ExtraTensor',
    `${folder} has a tensor ${first[0]} ${listed(first[1].shape)}${others}, where config.json calls for none: model_type ${JSON.stringify(config.model_type)} would not read it, and compute something else than was trained. Correct config.json, or save the model without it.`,
  );
}

const listed = (shape: readonly number[]) => `[${shape.join(', ')}]`;

/** What to do about tensors that are not as they should be: quantized ones are not read, whatever else is said of them. */
function causeOf({ config: { quantization_config: quantization } }: Checkpoint, otherwise: string): string {
  if (!isJsonObject(quantization)) return otherwise;
  return `config.json has a quantization_config (${JSON.stringify(quantization.quant_method ?? 'no quant_method')}), and quantized models are not read: use the model in 16 or 32 bits`;
}

/** Some exports of tied models hold the matrix twice. */
function sameContents(checkpoint: Checkpoint, left: string, right: string): boolean {
  const [a, b] = [checkpoint.read(left), checkpoint.read(right)];
  return a.type === b.type && Buffer.compare(bytesOf(a.data), bytesOf(b.data)) === 0;
}

/** Older exports store constants such as rotary tables beside the parameters. */
const rotaryBuffers = ['rotary_emb.inv_freq'];
