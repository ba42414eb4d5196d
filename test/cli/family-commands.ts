/**
 * Runs the commands that work on files on a golden model and reads what they wrote; says which golden values a model has.
 * It expects nothing but success.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readHeader, writeSafetensors } from '../../src-main/engine/files/safetensors.ts';
import { readWeights } from '../../src-main/engine/files/weight-sets.ts';
import type { FloatTensor, Tensor } from '../../src-main/engine/tensor.ts';
import { fixturePath } from '../parity/fixture.ts';
import { succeed, writeJson } from './support.ts';

export const goldenModels = readdirSync(fixturePath('models'));
export const modelFolder = (id: string): string => fixturePath('models', id);

/** Models with the weights of another one: its values are theirs. */
const sameWeights: Record<string, string> = { 'llama-sharded': 'llama', 'gpt2-hub-names': 'gpt2' };

/** The ID under which a kind of golden values of a model is stored, or null. */
export function valuesOf(kind: string, model: string, ending = '.json'): string | null {
  const ids = [model, sameWeights[model] ?? model];
  return ids.find((id) => existsSync(fixturePath(kind, `${id}${ending}`))) ?? null;
}

/** The same for tokenizers, which occur in several models. */
export function tokenizationOf(model: string): string | null {
  const file = (id: string) => readFileSync(fixturePath('models', id, 'tokenizer.json'));
  const kinds = readdirSync(fixturePath('tokenization')).map((name) => name.replace('.json', ''));
  const own = file(model);
  return kinds.find((kind) => existsSync(fixturePath('models', kind)) && file(kind).equals(own)) ?? null;
}

/** Paths of a model's weight files. */
export function weightFiles(id: string): string[] {
  const names = readdirSync(modelFolder(id)).filter((name) => name.endsWith('.safetensors'));
  return names.map((name) => join(modelFolder(id), name));
}

/** Constants that some files hold beside the parameters. */
const isBuffer = (name: string) => /\.(attn|attention)\.(masked_)?bias$|inv_freq$/.test(name);

/** Shapes of all parameters in a model's files by name. */
export function storedShapes(id: string): Map<string, readonly number[]> {
  const infos = weightFiles(id).flatMap((path) => [...readHeader(path).tensors]);
  return new Map(infos.filter(([name]) => !isBuffer(name)).map(([name, { shape }]) => [name, shape]));
}

const int64 = (rows: number[][]): Tensor => ({
  type: 'int64',
  shape: [rows.length, rows[0]!.length],
  data: BigInt64Array.from(rows.flat(), BigInt),
});

export interface ScoredSet {
  test: [string, string][];
  options: string[];
  accumulation: { prompt: string; answer: string };
}

/** The commands on one model, with their files in `folder`; `label` keeps those of several runs apart. */
export function commandsOf(id: string, folder: string) {
  const path = (label: string, name: string) => join(folder, `${id}.${label}.${name}`);
  const model = ['--model', modelFolder(id)];
  return {
    path,

    async tokenize(label: string, texts: string[]): Promise<number[][]> {
      const out = path(label, 'ids.json');
      await succeed(['tokenize', ...model, '--in', writeJson(path(label, 'texts.json'), texts), '--out', out]);
      return JSON.parse(readFileSync(out, 'utf8')) as number[][];
    },

    /** With all captures. */
    async forward(label: string, ids: number[][], mask?: number[][]): Promise<Map<string, FloatTensor>> {
      const [input, out] = [path(label, 'in.safetensors'), path(label, 'out.safetensors')];
      const tensors = new Map([['input_ids', int64(ids)]]);
      if (mask) tensors.set('attention_mask', int64(mask));
      writeSafetensors(input, tensors);
      await succeed(['forward', ...model, '--in', input, '--out', out, '--capture', 'hidden,attn_z,mlp_act,mlp_out']);
      return readWeights(out);
    },

    evaluate(label: string, pairs: [string, string][], options: string[]) {
      const dataset = writeJson(path(label, 'rank.json'), { pairs, options });
      return succeed(['evaluate', ...model, '--dataset', dataset, '--collisions', 'merge']);
    },

    /** `read` gives one of the written files. */
    async train(label: string, plan: object): Promise<{ losses: number[]; read(name: string): Map<string, FloatTensor> }> {
      const out = join(folder, `${id}.${label}`);
      await succeed(['train', ...model, '--plan', writeJson(path(label, 'plan.json'), plan), '--out', out]);
      const { losses } = JSON.parse(readFileSync(join(out, 'losses.json'), 'utf8')) as { losses: number[] };
      return { losses, read: (name) => readWeights(join(out, `${name}.safetensors`)) };
    },

    async scores(label: string, newWeights: string, set: ScoredSet, counterfactuals: unknown, ...options: string[]) {
      const { prompt, answer } = set.accumulation;
      const data = { pairs: set.test, options: set.options, counterfactuals, accumulation: { prompt, answer } };
      const [dataset, out] = [writeJson(path(label, 'scores.json'), data), path(label, 'scores.safetensors')];
      const files = ['--new', newWeights, '--dataset', dataset, '--out', out];
      const result = await succeed(['scores', ...model, ...files, '--collisions', 'merge', ...options]);
      return { result, written: readWeights(out) };
    },
  };
}
