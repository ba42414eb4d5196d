/**
 * Epochs of batches over a list of examples, in a given or a drawn order, with a call after every step and before every epoch.
 * It neither chooses what to measure nor stores anything.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { Random } from '../../shared/random.ts';
import { type Example, lossInputs, lossTargets } from './batch.ts';
import type { Trainer } from './trainer.ts';

/** order[epoch][batch] = indices into the examples. */
export type Order = readonly (readonly (readonly number[])[])[];

/** Every epoch a fresh permutation, cut into batches; the last one may be smaller. The seed's stream is its own. */
export function drawOrder(examples: number, batchSize: number, epochs: number, seed: number): Order {
  const random = new Random(`order ${seed}`);
  return Array.from({ length: epochs }, () => {
    const permutation = random.permutation(examples);
    return Array.from({ length: Math.ceil(examples / batchSize) }, (_, batch) =>
      permutation.slice(batch * batchSize, (batch + 1) * batchSize),
    );
  });
}

/** Throws `BadOrder` unless every epoch holds every index from 0 to `examples` - 1 exactly once. */
export function checkOrder(order: Order, examples: number): void {
  for (const [epoch, batches] of order.entries()) {
    const reason = orderProblem(batches, examples);
    if (reason === null) continue;
    throw new HopscopeError(
      'BadOrder',
      `orders: epoch ${epoch} must hold each of the items 0 to ${examples - 1} exactly once, in batches that are not empty; ${reason}.`,
    );
  }
}

/** What one epoch of an order does wrong first; null: nothing. */
function orderProblem(batches: Order[number], examples: number): string | null {
  const empty = batches.findIndex((batch) => batch.length === 0);
  if (empty >= 0) return `its batch ${empty} is empty`;
  const seen = new Set<number>();
  for (const [batch, members] of batches.entries()) {
    for (const index of members) {
      if (!(index >= 0 && index < examples)) return `${index} in its batch ${batch} is out of range`;
      if (seen.has(index)) return `${index} is there twice, also in its batch ${batch}`;
      seen.add(index);
    }
  }
  const missing = Array.from({ length: examples }, (_, index) => index).find((index) => !seen.has(index));
  return missing === undefined ? null : `${missing} is missing`;
}

export interface FinetuneEvents {
  /** Before epoch 0, 1, ... and once more after the last (epoch = order.length). */
  onEpoch?(epoch: number): Promise<void>;
  onStep?(step: { epoch: number; step: number; loss: number; seconds: number }): void | Promise<void>;
  signal?: AbortSignal | undefined;
}

/** Trains over the whole order. Returns the loss before each step. Aborting rejects between two steps. */
export async function finetune(
  trainer: Trainer,
  examples: readonly Example[],
  order: Order,
  events: FinetuneEvents = {},
): Promise<number[]> {
  checkOrder(order, examples.length);
  const losses: number[] = [];
  for (const [epoch, batches] of order.entries()) {
    await events.onEpoch?.(epoch);
    for (const members of batches) {
      // Lets messages in (stop, progress) and other work out between steps
      await new Promise((resolve) => setImmediate(resolve));
      events.signal?.throwIfAborted();
      const started = performance.now();
      const chosen = members.map((index) => examples[index]!);
      const batch = lossInputs(chosen);
      const loss = await trainer.step(batch, lossTargets(chosen, batch.positions));
      await events.onStep?.({ epoch, step: losses.length, loss, seconds: (performance.now() - started) / 1000 });
      losses.push(loss);
    }
  }
  await events.onEpoch?.(order.length);
  return losses;
}
