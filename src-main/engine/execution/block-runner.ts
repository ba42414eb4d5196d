/**
 * Runs a model's blocks forward one after the other, each with its weights brought in time, and knows the programs and the place of weights that
 * belong to one executor. It computes no logits and no gradients.
 */
import type { AnyTensor } from '../runtime/device-tensor.ts';
import type { Weights } from '../weights.ts';
import type { TokenBatch } from './executor.ts';
import { embed } from './feeds.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';
import * as programs from './programs.ts';
import { type SessionCache, sizeKey } from './sessions.ts';
import type { Stage } from './stage.ts';

export class BlockRunner {
  readonly outline: ModelOutline;
  readonly sessions: SessionCache;
  readonly stage: Stage;

  constructor(outline: ModelOutline, sessions: SessionCache, stage: Stage) {
    this.outline = outline;
    this.sessions = sessions;
    this.stage = stage;
  }

  /** The input of every block below `end`, and what the last of them returns. */
  async inputs(weights: Weights, batch: TokenBatch, shape: ProgramShape, end: number): Promise<AnyTensor[]> {
    const inputs: AnyTensor[] = [embed(this.outline, weights, batch)];
    for (let layer = 0; layer < end; layer++) inputs.push(await this.#through(weights, shape, layer, inputs[layer]!));
    return inputs;
  }

  /** What the last block returns. */
  async through(weights: Weights, batch: TokenBatch, shape: ProgramShape): Promise<AnyTensor> {
    let x: AnyTensor = embed(this.outline, weights, batch);
    for (const layer of this.outline.parameters.blocks.keys()) {
      const y = await this.#through(weights, shape, layer, x);
      this.stage.free(x);
      x = y;
    }
    return x;
  }

  async #through(weights: Weights, shape: ProgramShape, layer: number, x: AnyTensor): Promise<AnyTensor> {
    const session = this.sessions.get(`block forward ${this.kind(layer)} ${sizeKey(shape, false)} `, () =>
      programs.blockForward(this.outline, layer, shape, []),
    );
    const y = await this.stage.place(x.shape);
    await session.run({ ...(await this.block(weights, layer, layer + 1)), x }, { y });
    return y;
  }

  /** A block's weights by role; those of block `next` are read meanwhile. */
  block(weights: Weights, layer: number, next: number | null): Promise<Record<string, AnyTensor>> {
    const { blocks } = this.outline.parameters;
    const ahead = next === null ? undefined : blocks[next];
    return this.stage.feeds([{ weights, parameters: blocks[layer]! }], ahead && [{ weights, parameters: ahead }]);
  }

  /** The weights of a program of the whole model, by name. */
  all(weights: Weights): Promise<Record<string, AnyTensor>> {
    const { blocks, head } = this.outline.parameters;
    return this.stage.feeds([{ weights, parameters: [...blocks.flat(), ...head], feedName: ({ name }) => name }]);
  }

  /** Layers of a kind share their programs. */
  kind(layer: number): string {
    return this.outline.family.layerKind(this.outline.configuration, layer);
  }
}
