/**
 * The loss of a batch and its gradients, from one program or block by block from the head down, handed to a sink as they are ready.
 * Which parameters are asked for is the caller's choice; nothing is updated here.
 */
import type { AnyTensor } from '../runtime/device-tensor.ts';
import { floatTensor } from '../tensor.ts';
import type { BlockRunner } from './block-runner.ts';
import { sumRows } from './embedding.ts';
import { embed, finite, gradientTensor, lossFeeds, positionIds } from './feeds.ts';
import { addRows, type BackwardState, type LossPass } from './gradient-sink.ts';
import type { Head } from './head.ts';
import type { ModelOutline } from './programs.ts';
import * as programs from './programs.ts';
import { sizeKey } from './sessions.ts';

export class Gradients {
  readonly #runner: BlockRunner;
  readonly #head: Head;

  constructor(runner: BlockRunner, head: Head) {
    this.#runner = runner;
    this.#head = head;
  }

  /** All gradients from one program of the whole model. */
  async whole(pass: LossPass): Promise<number> {
    const { weights, batch, shape, targets, trained, sink } = pass;
    const { embedding, blocks, head } = this.#runner.outline.parameters;
    const inGraph = [...blocks.flat(), ...head].filter(({ name }) => trained.has(name));
    const needInput = trainsInput(this.#runner.outline, trained);
    const names = inGraph.map(({ name }) => name);
    const session = this.#runner.sessions.get(`whole training ${sizeKey(shape)} ${needInput} ${names.join()}`, () =>
      programs.wholeTraining(this.#runner.outline, shape, names, needInput),
    );
    const x = embed(this.#runner.outline, weights, batch);
    const loss = floatTensor([]);
    const results: Record<string, AnyTensor> = { loss };
    for (const parameter of inGraph)
      results[programs.gradientOf(parameter.name)] = gradientTensor(parameter, sink.buffer(parameter));
    const dx = floatTensor(x.shape);
    if (needInput) results[programs.gradientOf('x')] = dx;
    await session.run({ ...lossFeeds(targets, shape), ...(await this.#runner.all(weights)), x }, results);
    await this.#completeEmbedding(pass, { loss: loss.data[0]!, layer: 0, dy: dx, remainder: null });
    await sink.complete(inGraph.filter(({ name }) => name !== embedding.name));
    return finite(loss.data[0]!);
  }

  /** Block by block; `resume`: what `sink.reached` was told. */
  async byBlocks(pass: LossPass, resume: BackwardState | null): Promise<number> {
    const { weights, batch, shape, trained, sink } = pass;
    const { blocks } = this.#runner.outline.parameters;
    const needInput = trainsInput(this.#runner.outline, trained);
    const lowest = needInput ? 0 : blocks.findIndex((block) => block.some(({ name }) => trained.has(name)));
    const bottom = lowest === -1 ? blocks.length : lowest;
    const ownOf = (layer: number) => blocks[layer]?.filter(({ name }) => trained.has(name)) ?? [];
    // Of a block that is still to do its own input is needed, not what it returns
    const end = resume ? Math.max(resume.layer - 1, 0) : blocks.length;
    const inputs = await this.#runner.inputs(weights, batch, shape, end);

    let state = resume;
    if (!state) {
      const below = bottom < blocks.length || needInput;
      const x = inputs.pop()!;
      const { loss, dx, remainder } = await this.#head.backward(pass, x, below);
      this.#runner.stage.free(x);
      state = { loss, layer: blocks.length, dy: dx, remainder };
      await sink.reached?.(state);
    }
    for (let layer = state.layer - 1; layer >= bottom; layer--) {
      const own = ownOf(layer);
      const roles = own.map(({ role }) => role);
      const further: boolean = layer > bottom || needInput;
      const session = this.#runner.sessions.get(
        `block backward ${this.#runner.kind(layer)} ${sizeKey(shape, false)} ${further} ${roles.join()}`,
        () => programs.blockBackward(this.#runner.outline, layer, shape, roles, further),
      );
      await sink.prepare?.(own, layer > bottom ? ownOf(layer - 1) : []);
      const results: Record<string, AnyTensor> = {};
      for (const parameter of own)
        results[programs.gradientOf(parameter.role)] = gradientTensor(parameter, sink.buffer(parameter));
      const dx = floatTensor(state.dy.shape);
      if (further) results[programs.gradientOf('x')] = dx;
      const feeds = await this.#runner.block(weights, layer, layer > bottom ? layer - 1 : null);
      await session.run({ ...feeds, x: inputs[layer]!, dy: state.dy }, results);
      await sink.complete(own);
      this.#runner.stage.free(inputs[layer]);
      inputs.length = layer;
      state = { ...state, layer, dy: dx };
      if (own.length > 0) await sink.reached?.(state);
    }
    await this.#completeEmbedding(pass, state);
    return state.loss;
  }

  /** Hands over the gradients of what block 0's input is the sum of, given the gradient of that input, and of an output matrix in stretches. */
  async #completeEmbedding({ batch, trained, sink, weights }: LossPass, state: BackwardState): Promise<void> {
    const { remainder } = state;
    const dx = state.dy.data;
    const { configuration, parameters } = this.#runner.outline;
    const { hidden, embeddingScale, tiedEmbeddings } = configuration;
    const { embedding, positions } = parameters;
    const rows = trained.has(embedding.name) ? sumRows(dx, hidden, batch.tokens, embeddingScale) : null;
    // The matrix first: its gradients need the weights as they were
    if (remainder) {
      await this.#head.finish(weights, remainder, sink, {
        addRows: async (part) => {
          if (rows && tiedEmbeddings) await addRows(sink, part, rows);
        },
        reached: async (nextRow) => sink.reached?.({ ...state, remainder: { ...remainder, nextRow } }),
      });
    }
    if (positions && trained.has(positions.name)) await sink.completeRows(positions, sumRows(dx, hidden, positionIds(batch), 1));
    if (!rows) return;
    if (!tiedEmbeddings) await sink.completeRows(embedding, rows);
    else if (!remainder) {
      await addRows(sink, embedding, rows);
      await sink.complete([embedding]);
    }
  }
}

/** Whether something trains that block 0 stands on. */
function trainsInput({ parameters: { embedding, positions } }: ModelOutline, trained: ReadonlySet<string>): boolean {
  return trained.has(embedding.name) || (positions !== null && trained.has(positions.name));
}
