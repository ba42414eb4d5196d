/**
 * `hopscope forward`: logits, and inner values on request, of a batch of token ids. Files in, files out; nothing is trained.
 */
import type { Executor, TokenBatch } from '../engine/execution/executor.ts';
import { writeSafetensors } from '../engine/files/safetensors.ts';
import { elementCount, type FloatTensor, floatTensor } from '../engine/tensor.ts';
import type { Weights } from '../engine/weights.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Command } from './command.ts';
import { requireWritableFile } from './files.ts';
import { withModel } from './loaded-model.ts';
import { readTokenFile, type TokenRows } from './token-file.ts';

const captureNames = ['hidden', 'attn_z', 'mlp_act', 'mlp_out'] as const;
type Capture = (typeof captureNames)[number];

/** What observers of the engine call them; `hidden` comes without asking. */
const observed: Record<Capture, string> = { hidden: 'final_norm', attn_z: 'attn.z', mlp_act: 'mlp.act', mlp_out: 'mlp.out' };

export const forward: Command = {
  name: 'forward',
  summary: 'compute the logits of a batch of token ids',
  options: [
    { name: 'model', value: 'FOLDER', help: 'a model folder', required: true },
    {
      name: 'in',
      value: 'FILE',
      help: 'safetensors with input_ids [B, T] and, where padded on the right, attention_mask',
      required: true,
    },
    { name: 'out', value: 'FILE', help: 'safetensors to write: logits [B, T, V] and captures, 0 where padded', required: true },
    { name: 'capture', value: 'NAMES', help: `inner values to keep, separated by commas: ${captureNames.join(',')}` },
  ],

  async run(given, context) {
    const out = given.text('out');
    const captures = readCaptures(given.optional('capture'));
    requireWritableFile(out);
    const tokens = readTokenFile(given.text('in'));
    const started = performance.now();
    const tensors = await withModel(
      given.text('model'),
      context,
      () => ({ kind: 'forward', batch: tokens.batch.batch, positions: tokens.batch.positions, rows: tokens.real.length }),
      ({ weights, executor }) => compute(executor, weights, tokens, captures),
    );
    context.signal.throwIfAborted();
    const odd = tensors.get('logits')!.data.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
    if (odd > 0) context.warn(`${odd} logits are not finite; check the weights for values that are not.`);
    writeSafetensors(out, tensors);
    const seconds = (performance.now() - started) / 1000;
    const { batch, positions } = tokens.batch;
    const result = { out, batch, positions, tensors: [...tensors.keys()], seconds };
    context.print(
      result,
      `${batch} x ${positions} tokens in ${seconds.toFixed(2)} s: ${[...tensors.keys()].join(', ')} in ${out}`,
    );
  },
};

function readCaptures(text: string | undefined): Capture[] {
  const names = (text ?? '').split(',').map((name) => name.trim());
  return names.flatMap((name) => {
    if (name === '') return [];
    const known = captureNames.find((capture) => capture === name);
    if (known) return [known];
    throw new HopscopeError('BadArguments', `--capture ${name}: known are ${captureNames.join(', ')}, separated by commas.`);
  });
}

async function compute(
  executor: Executor,
  weights: Weights,
  { batch, real }: TokenRows,
  captures: Capture[],
): Promise<Map<string, FloatTensor>> {
  if (captures.length === 0) {
    const logits = await executor.logits(weights, batch, real);
    return new Map([['logits', spread(logits, batch, real)]]);
  }
  const { configuration } = executor.outline;
  const names = captures.map((capture) => observed[capture]);
  const result = await executor.forward(weights, batch, real, names);
  const tensors = new Map([['logits', spread(result.logits, batch, real)]]);
  const keep = (name: string, source: string, parts: number[] = []) => {
    const value = result.observed.get(source);
    if (!value) throw new HopscopeError('NotObserved', `The model has no value ${source} to capture.`, 'failure');
    // The final norm is computed at real positions only, everything else everywhere
    tensors.set(name, source === 'final_norm' ? spread(value, batch, real) : cleared(value, batch, real, parts));
  };
  for (const capture of new Set(captures)) {
    if (capture === 'hidden') keep('hidden.embed', 'embedding');
    for (let layer = 0; layer < configuration.layers; layer++) {
      const source = capture === 'hidden' ? 'resid' : observed[capture];
      const parts = capture === 'attn_z' ? [configuration.heads, configuration.headSize] : [];
      keep(`${capture}.${layer}`, `layers.${layer}.${source}`, parts);
    }
    if (capture === 'hidden') keep('hidden.final_norm', 'final_norm');
  }
  return tensors;
}

/** [real positions, width] -> [B, T, width], zeros elsewhere. */
function spread({ shape, data }: FloatTensor, { batch, positions }: TokenBatch, real: readonly number[]): FloatTensor {
  const width = shape[1]!;
  const result = floatTensor([batch, positions, width]);
  for (const [index, row] of real.entries()) result.data.set(data.subarray(index * width, (index + 1) * width), row * width);
  return result;
}

/** [B * T, width] -> [B, T, width], or the width split into `parts`; padded positions become zeros. */
function cleared(
  { shape, data }: FloatTensor,
  { batch, positions }: TokenBatch,
  real: readonly number[],
  parts: number[],
): FloatTensor {
  const inner = parts.length > 0 ? parts : shape.slice(1);
  const width = elementCount(inner);
  const result = floatTensor([batch, positions, ...inner]);
  for (const row of real) result.data.set(data.subarray(row * width, (row + 1) * width), row * width);
  return result;
}
