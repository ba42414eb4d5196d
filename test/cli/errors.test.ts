/** What a user can get wrong: a named error on one line, the same as JSON, exit code 2 or 130, and nothing left behind. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSafetensors } from '../../src-main/engine/files/safetensors.ts';
import { readWeights } from '../../src-main/engine/files/weight-sets.ts';
import { type FloatTensor, floatTensor, type Tensor } from '../../src-main/engine/tensor.ts';
import { fixturePath, readFixture } from '../parity/fixture.ts';
import { hopscope, refuse, succeed, temporaryFolder, writeJson } from './support.ts';

const folder = temporaryFolder();
/** For what must write something: `folder` is compared before and after. */
const temporary = temporaryFolder();
const llama = fixturePath('models', 'llama');
const { datasets } = readFixture<{ datasets: Record<string, { pairs: [string, string][]; options: string[] }> }>(
  'rank',
  'llama.json',
);
const { pairs, options } = datasets['first-hop.train']!;

/** A copy of the llama model with its weights changed. */
function changedModel(name: string, change: (tensors: Map<string, FloatTensor>) => void): string {
  const copy = join(folder, name);
  cpSync(llama, copy, { recursive: true });
  const tensors = readWeights(join(copy, 'model.safetensors'));
  change(tensors);
  writeSafetensors(join(copy, 'model.safetensors'), tensors, { format: 'pt' });
  return copy;
}

const projection = 'model.layers.1.mlp.up_proj.weight';
const missing = changedModel('missing', (tensors) => tensors.delete(projection));
const misshapen = changedModel('misshapen', (tensors) => tensors.set(projection, floatTensor([3, 5])));

// A vocabulary cut by one row: the tokenizer's last token has none.
const cut = changedModel('cut', (tensors) => {
  for (const name of ['model.embed_tokens.weight', 'lm_head.weight']) {
    const { shape, data } = tensors.get(name)!;
    const [rows, width] = [shape[0]! - 1, shape[1]!];
    tensors.set(name, floatTensor([rows, width], data.slice(0, rows * width)));
  }
});
const cutConfig = JSON.parse(readFileSync(join(cut, 'config.json'), 'utf8'));
writeJson(join(cut, 'config.json'), { ...cutConfig, vocab_size: cutConfig.vocab_size - 1 });

const linked = join(folder, 'linked');
mkdirSync(linked);
for (const name of readdirSync(llama)) {
  if (name !== 'model.safetensors') cpSync(join(llama, name), join(linked, name));
}
symlinkSync(join(llama, 'model.safetensors'), join(linked, 'model.safetensors'));

const good = writeJson(join(folder, 'good.json'), { pairs, options });
const unknownKey = writeJson(join(folder, 'unknown-key.json'), { pairs, options, optoins: options });
const notListed = writeJson(join(folder, 'not-listed.json'), { pairs: [['Ada Quill lives in', 'Berlin']], options });
const noPairs = writeJson(join(folder, 'no-pairs.json'), { pairs: [['only one']], options });
writeFileSync(join(folder, 'twice.json'), '{"pairs": [], "pairs": [], "options": []}');

const batch = { input_ids: [[1, 2, 3]], labels: [[-100, 2, 3]] };
const plan = (name: string, value: object) => writeJson(join(folder, name), { batches: [batch], lr: 1e-3, ...value });
const goodPlan = plan('good-plan.json', {});
const unknownPlanKey = plan('unknown-plan-key.json', { learning_rate: 1 });
const leftPadded = plan('left-padded.json', { batches: [{ ...batch, attention_mask: [[0, 1, 1]] }] });
const badLayer = plan('bad-layer.json', { trainable: { layers: [3] } });
const badName = plan('bad-name.json', { trainable: ['model.layers.7.mlp.up_proj.weight'] });
const bigToken = plan('big-token.json', { batches: [{ ...batch, input_ids: [[1, 2, 100000]] }] });
const decay = plan('decay.json', { weight_decay: 0.1 });
const longPlan = plan('long-plan.json', { epochs: 1_000_000 });
const lateGradients = plan('late-gradients.json', { save_gradients: [2] });

const int64 = (rows: number[][]): Tensor => ({
  type: 'int64',
  shape: [rows.length, rows[0]!.length],
  data: BigInt64Array.from(rows.flat(), BigInt),
});
const tokens = join(folder, 'tokens.safetensors');
writeSafetensors(tokens, new Map([['input_ids', int64([[1, 2, 3]])]]));
const leftTokens = join(folder, 'left-tokens.safetensors');
writeSafetensors(
  leftTokens,
  new Map([
    ['input_ids', int64([[1, 2, 3]])],
    ['attention_mask', int64([[0, 1, 1]])],
  ]),
);

writeFileSync(join(folder, 'spec.yaml'), 'experiment: ocr\nexperiment: ocr\n');
writeFileSync(join(folder, 'recipe.yaml'), 'model:\n  layers: 2\n  widht: 64\n');
mkdirSync(join(folder, 'taken'));
writeFileSync(join(folder, 'taken', 'losses.json'), '{}');

const forward = (model: string, input = tokens) => ['forward', '--model', model, '--in', input, '--out', 'out.safetensors'];
const evaluate = (dataset: string) => ['evaluate', '--model', llama, '--dataset', dataset];
const train = (path: string, out = 'out') => ['train', '--model', llama, '--plan', path, '--out', out];

test.concurrent.each<[name: string, parameters: string[], code: string, mentions: string]>([
  ['no command', [], 'BadArguments', 'pretrain'],
  ['unknown command', ['modle'], 'BadArguments', 'modle'],
  ['unknown option', ['model', llama, '--fast'], 'BadArguments', '--fast'],
  ['missing argument', ['model'], 'BadArguments', 'folder'],
  ['missing option', ['train', '--model', llama], 'BadArguments', '--plan'],
  ['odd number of threads', ['--threads', '1.5', ...forward(llama)], 'BadArguments', '1.5'],
  ['unknown capture', [...forward(llama), '--capture', 'hidden,noses'], 'BadArguments', 'noses'],
  ['unknown device', ['--device', 'abacus', ...forward(llama)], 'DeviceUnavailable', 'abacus'],
  ['no folder', ['model', 'nowhere'], 'ModelNotFound', 'nowhere'],
  ['missing tensor', ['model', missing], 'MissingTensor', projection],
  ['missing tensor, forward', forward(missing), 'MissingTensor', projection],
  ['wrong shape', ['model', misshapen], 'WrongShape', projection],
  ['tokenizer that does not fit', ['evaluate', '--model', cut, '--dataset', good], 'TokenizerDoesNotFit', '378'],
  ['link out of the folder', ['model', linked], 'OutsideFolder', 'model.safetensors'],
  ['padding on the left', forward(llama, leftTokens), 'NotRightPadded', 'row 0'],
  ['no input file', forward(llama, 'nothing.safetensors'), 'CannotRead', 'nothing.safetensors'],
  [
    'no folder to write to',
    ['tokenize', '--model', llama, '--in', good, '--out', 'no/where.json'],
    'CannotWrite',
    'no/where.json',
  ],
  ['texts that are none', ['tokenize', '--model', llama, '--in', good, '--out', 'ids.json'], 'BadTexts', 'good.json'],
  ['unknown key of a data set', evaluate(unknownKey), 'UnknownKey', 'optoins'],
  ['answer that is no option', evaluate(notListed), 'AnswerNotAnOption', 'Berlin'],
  ['pair that is none', evaluate(noPairs), 'BadDataset', 'pairs[0]'],
  ['key twice', evaluate('twice.json'), 'BadJson', 'pairs'],
  ['unknown key of a plan', train(unknownPlanKey), 'BadPlan', 'learning_rate'],
  ['plan padded on the left', train(leftPadded), 'NotRightPadded', 'row 0'],
  ['layer that is not there', train(badLayer), 'BadTrainable', '3'],
  ['parameter that is not there', train(badName), 'BadTrainable', 'model.layers.7'],
  ['token outside the vocabulary', train(bigToken), 'TokenOutsideVocabulary', '100000'],
  ['decay with plain Adam', train(decay), 'BadPlan', 'adamw'],
  ['gradients of a step that is not there', train(lateGradients), 'BadPlan', 'step 2'],
  ['results that are there already', train(goodPlan, 'taken'), 'FolderExists', 'losses.json'],
  ['key twice in YAML', ['run', 'spec.yaml', '--data', 'data'], 'BadYaml', 'line 2'],
  ['unknown key of a recipe', ['pretrain', '--recipe', 'recipe.yaml', '--out', 'out'], 'UnknownKey', 'model.widht'],
])('%s', async (_name, parameters, code, mentions) => {
  await refuse(parameters, code, mentions, folder);
});

test.concurrent('options that share a first token are named, or merged on request', async () => {
  const colliding = writeJson(join(temporary, 'colliding.json'), { pairs, options: [...options, `${options[0]} City`] });
  await refuse(['evaluate', '--model', llama, '--dataset', colliding], 'OptionsShareFirstToken', `${options[0]} City`, temporary);
  const merged = await hopscope(['evaluate', '--model', llama, '--dataset', colliding, '--collisions', 'merge', '--json']);
  expect(merged.code).toBe(0);
  expect(merged.stderr).toMatch(/^warning: .*City/);
  const plain = await succeed(['evaluate', '--model', llama, '--dataset', good]);
  expect(merged.json().candidate_logits).toEqual(plain.candidate_logits);
});

test.concurrent('Ctrl-C stops a training: exit 130, nothing written', async () => {
  const out = join(temporary, 'stopped');
  const outcome = await hopscope([...train(longPlan, out), '--json'], {
    onOutput: (text, kill) => void (text.includes('loss') && kill('SIGINT')),
  });
  expect(outcome.code, outcome.stderr).toBe(130);
  expect(outcome.json()).toMatchObject({ error: { code: 'Interrupted' } });
  expect(existsSync(out)).toBe(false);
});

test.concurrent('without --json results are text, errors are on stderr alone', async () => {
  const described = await hopscope(['model', llama]);
  expect(described.code).toBe(0);
  expect(described.stdout).toMatch(/family +llama\n/);
  const failed = await hopscope(['model', 'nowhere', '--verbose']);
  expect([failed.code, failed.stdout]).toEqual([2, '']);
  expect(failed.stderr).toMatch(/^error\[ModelNotFound\]: .*\n[\s\S]*\n +at /);
});
