/**
 * Compiled programs that layers of a kind share, and those of the head, by name and size. It decides nothing about what they compute.
 */
import type { Graph } from '../graph/graph.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';
import { type Program, type ProgramSettings, SessionCache } from './sessions.ts';

export class LayerPrograms {
  readonly #outline: ModelOutline;
  readonly #sessions: SessionCache;

  constructor(outline: ModelOutline, settings: ProgramSettings) {
    this.#outline = outline;
    this.#sessions = new SessionCache(settings);
  }

  release(): void {
    this.#sessions.release();
  }

  /** A program of one block, compiled from `build()` for the first layer of a kind. */
  block(name: string, layer: number, { batch, positions }: ProgramShape, build: () => Graph): Program {
    const kind = this.#outline.family.layerKind(this.#outline.configuration, layer);
    return this.#sessions.get(`${name} ${kind} ${batch}x${positions}`, build);
  }

  /** A program with a head of so many candidates. */
  head(name: string, { batch, positions, rows }: ProgramShape, candidates: readonly number[], build: () => Graph): Program {
    return this.#sessions.get(`${name} ${batch}x${positions}x${rows}x${candidates.length}`, build);
  }
}
