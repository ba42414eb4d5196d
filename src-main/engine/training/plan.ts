/**
 * A training written down as a file: which batches, which optimizer, which parameters. Reads and checks one; run-plan.ts runs it.
 * Whether token ids and names fit a model is checked when it runs on one.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Pair } from '../../shared/records.ts';
import { isInteger, isJsonObject, type JsonObject, type JsonValue } from '../files/strict-json.ts';
import { type LoraChoice, loraProblem } from '../models/lora-targets.ts';
import { type LayerChoice, layerChoiceProblem, type Trainable } from '../models/parameters.ts';
import { type AdamSettings, defaultAdam } from './optimizer-state.ts';

/** One batch as given: token ids padded on the right, and a label per position (-100: not counted). */
export interface PlannedBatch {
  ids: number[][];
  labels: number[][];
}

export interface TrainingPlan {
  /** Batches in their order, or pairs to draw batches from. */
  data: { batches: PlannedBatch[] } | { pairs: Pair[]; batchSize: number; seed: number };
  /** Passes over the data. */
  epochs: number;
  learningRate: number;
  adam: AdamSettings;
  trainable: Trainable;
  /** Steps, counted from 1, whose gradients are kept. */
  saveGradients: number[];
}

const batchKeys = ['input_ids', 'attention_mask', 'labels'];
const planKeys = [
  'batches',
  'dataset',
  'epochs',
  'batch_size',
  'seed',
  'optimizer',
  'lr',
  'betas',
  'eps',
  'weight_decay',
  'trainable',
  'save_gradients',
];

/** torch.optim.AdamW's. */
const adamWDecay = 0.01;
const largestToken = 2 ** 31 - 1;
const mostEpochs = 1_000_000;

/** `name` is what messages call the plan, such as its path. Errors: `BadPlan`, `NotRightPadded`, naming the key. */
export function readPlan(value: JsonValue, name: string): TrainingPlan {
  const reader = new PlanReader(name);
  if (!isJsonObject(value)) throw reader.bad('an object is expected');
  reader.onlyKeys(value, planKeys, '');
  return {
    data: readData(value, reader),
    epochs: reader.number(value, 'epochs', 1, (epochs) => isInteger(epochs, 1, mostEpochs), 'a whole number of at least 1'),
    learningRate: reader.number(value, 'lr', undefined, (rate) => rate >= 0, 'a number of at least 0'),
    adam: readAdam(value, reader),
    trainable: readTrainable(value.trainable, reader),
    saveGradients: reader.list(
      value.save_gradients ?? [],
      'save_gradients',
      (step) => isInteger(step, 1),
      'steps, counted from 1',
    ),
  };
}

class PlanReader {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  bad(reason: string): HopscopeError {
    return new HopscopeError('BadPlan', `${this.#name}: ${reason}.`);
  }

  notRightPadded(where: string): HopscopeError {
    return new HopscopeError('NotRightPadded', `${this.#name}: ${where} has a token after padding; pad on the right.`);
  }

  onlyKeys(value: JsonObject, known: readonly string[], where: string): void {
    const unknown = Object.keys(value).find((key) => !known.includes(key));
    if (unknown === undefined) return;
    throw this.bad(`${where}the key ${JSON.stringify(unknown)} is unknown; known are ${known.join(', ')}`);
  }

  number(value: JsonObject, key: string, absent: number | undefined, fits: (number: number) => boolean, wanted: string): number {
    const given = value[key] ?? absent;
    if (typeof given === 'number' && fits(given)) return given;
    throw this.bad(
      given === undefined ? `${key} is missing; ${wanted} is expected` : `${key} is ${shown(given)}; ${wanted} is expected`,
    );
  }

  list(value: JsonValue, where: string, fits: (item: JsonValue) => boolean, wanted: string): number[] {
    if (Array.isArray(value) && value.every(fits)) return value as number[];
    throw this.bad(`${where} must be a list of ${wanted}`);
  }

  /** [B][T], all rows as long. */
  grid(value: JsonValue | undefined, where: string, fits: (item: JsonValue) => boolean, wanted: string): number[][] {
    if (!Array.isArray(value) || value.length === 0) throw this.bad(`${where} must be a list of rows, [B][T]`);
    const rows = value.map((row, index) => this.list(row, `${where}[${index}]`, fits, wanted));
    const odd = rows.findIndex((row) => row.length !== rows[0]!.length || row.length === 0);
    if (odd !== -1)
      throw this.bad(`${where}[${odd}] has ${rows[odd]!.length} entries and ${where}[0] ${rows[0]!.length}; pad to one length`);
    return rows;
  }
}

function readData(plan: JsonObject, reader: PlanReader): TrainingPlan['data'] {
  const { batches, dataset } = plan;
  if ((batches === undefined) === (dataset === undefined)) throw reader.bad('one of `batches` and `dataset` is expected');
  if (batches !== undefined) {
    if (plan.batch_size !== undefined) throw reader.bad('batch_size belongs to a `dataset`; `batches` have their own sizes');
    if (!Array.isArray(batches) || batches.length === 0) throw reader.bad('`batches` must be a list of batches');
    return { batches: batches.map((batch, index) => readBatch(batch, `batches[${index}]`, reader)) };
  }
  if (dataset === undefined || !isJsonObject(dataset)) throw reader.bad('`dataset` must be an object with `pairs`');
  reader.onlyKeys(dataset, ['pairs', 'options'], 'dataset: ');
  const { pairs } = dataset;
  if (!Array.isArray(pairs) || pairs.length === 0) throw reader.bad('dataset.pairs must be a list of [prompt, continuation]');
  const wrong = pairs.findIndex((pair) => !isPair(pair));
  if (wrong !== -1) throw reader.bad(`dataset.pairs[${wrong}] is not [prompt, continuation]`);
  const positive = (size: number) => isInteger(size, 1);
  return {
    pairs: pairs.filter(isPair),
    batchSize: reader.number(plan, 'batch_size', undefined, positive, 'a whole number of at least 1'),
    seed: reader.number(plan, 'seed', 0, (seed) => isInteger(seed), 'a whole number of at least 0'),
  };
}

function readBatch(value: JsonValue, where: string, reader: PlanReader): PlannedBatch {
  if (!isJsonObject(value)) throw reader.bad(`${where} must be an object`);
  reader.onlyKeys(value, batchKeys, `${where}: `);
  const isToken = (item: JsonValue) => isInteger(item, 0, largestToken);
  const labels = reader.grid(value.labels, `${where}.labels`, (item) => item === -100 || isToken(item), 'token ids or -100');
  // What stands at padded positions may be any integer
  const raw = reader.grid(
    value.input_ids,
    `${where}.input_ids`,
    (item) => isInteger(item, -largestToken, largestToken),
    'token ids',
  );
  const mask =
    value.attention_mask === undefined
      ? raw.map((row) => row.map(() => 1))
      : reader.grid(value.attention_mask, `${where}.attention_mask`, (item) => item === 0 || item === 1, 'zeros and ones');
  for (const [key, rows] of Object.entries({ labels, attention_mask: mask })) {
    if (rows.length === raw.length && rows[0]!.length === raw[0]!.length) continue;
    throw reader.bad(`${where}.${key} is [${rows.length}][${rows[0]!.length}], but input_ids [${raw.length}][${raw[0]!.length}]`);
  }
  const ids = raw.map((row, item) =>
    row.map((id, position) => {
      const place = `${where} row ${item} position ${position}`;
      if (mask[item]![position] === 0) {
        if (labels[item]![position] !== -100) throw reader.bad(`${place} is padding but has a label; give it -100`);
        return 0;
      }
      if (position > 0 && mask[item]![position - 1] === 0) throw reader.notRightPadded(`${where} row ${item}`);
      if (id < 0) throw reader.bad(`${place} holds ${id}, which is no token`);
      return id;
    }),
  );
  return { ids, labels };
}

function readAdam(plan: JsonObject, reader: PlanReader): AdamSettings {
  const optimizer = plan.optimizer ?? 'adam';
  if (optimizer !== 'adam' && optimizer !== 'adamw')
    throw reader.bad(`optimizer is ${shown(optimizer)}; adam or adamw is expected`);
  const isBeta = (item: JsonValue) => typeof item === 'number' && item >= 0 && item < 1;
  const betas = reader.list(
    plan.betas ?? [defaultAdam.beta1, defaultAdam.beta2],
    'betas',
    isBeta,
    'two numbers from 0 to below 1',
  );
  if (betas.length !== 2) throw reader.bad('betas must be two numbers from 0 to below 1');
  const decay = optimizer === 'adamw' ? adamWDecay : 0;
  const weightDecay = reader.number(plan, 'weight_decay', decay, (value) => value >= 0, 'a number of at least 0');
  if (optimizer === 'adam' && weightDecay !== 0) {
    throw reader.bad('weight_decay is decoupled from the gradient here: write "optimizer": "adamw" for it, or 0');
  }
  return {
    ...defaultAdam,
    beta1: betas[0]!,
    beta2: betas[1]!,
    epsilon: reader.number(plan, 'eps', defaultAdam.epsilon, (value) => value > 0, 'a number above 0'),
    weightDecay,
  };
}

function readTrainable(value: JsonValue | undefined, reader: PlanReader): Trainable {
  if (value === undefined || value === 'all') return 'all';
  if (value === 'mlp_attn' || value === 'lora') return value;
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  if (isJsonObject(value)) {
    for (const key of ['lora', 'except']) if (key in value) reader.onlyKeys(value, [key], 'trainable: ');
    if (value.lora !== undefined) {
      const problem = loraProblem(value.lora);
      if (problem) throw reader.bad(`trainable.lora ${problem}`);
      return { lora: value.lora as LoraChoice };
    }
    const isExcept = value.except !== undefined;
    const problem = layerChoiceProblem(isExcept ? value.except : value);
    if (problem) throw reader.bad(`trainable${isExcept ? '.except' : ''} ${problem}`);
    return value as unknown as LayerChoice | { except: LayerChoice };
  }
  throw reader.bad(
    'trainable must be "all", "mlp_attn", {"layers": [...], "modules": [...]}, {"except": {"layers": [...], "modules": [...]}}, "lora", {"lora": {...}} or a list of tensor names',
  );
}

function isPair(value: JsonValue): value is Pair {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}

function shown(value: JsonValue): string {
  return JSON.stringify(value).slice(0, 80);
}
