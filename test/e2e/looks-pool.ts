/** A few pages for many shots: opened when first needed, each used by one test at a time. Nothing here knows what is done with them. */
import type { Stage } from '../renderer/visit.ts';

/** One more than the cores of a small machine, so that neither waits for a page to settle. */
const most = 3;

export class StagePool {
  #open: () => Promise<Stage>;
  #idle: Stage[] = [];
  #opened = 0;
  #waiting: ((stage: Stage) => void)[] = [];

  constructor(open: () => Promise<Stage>) {
    this.#open = open;
  }

  /** Does `work` with a page that nobody else has meanwhile. A page whose work failed is closed: nobody knows what is left on it. */
  async use<Result>(work: (stage: Stage) => Promise<Result>): Promise<Result> {
    let stage = await this.#take();
    try {
      return await work(stage);
    } catch (error) {
      await stage.close();
      stage = await this.#open();
      throw error;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(stage);
      else next(stage);
    }
  }

  async #take(): Promise<Stage> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#opened === most) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#opened++;
    return this.#open();
  }
}
