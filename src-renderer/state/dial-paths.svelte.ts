/**
 * The paths that were stored of one run's dial: read, added to, deleted and brought back. Where a dial goes is dial.svelte.ts's.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { DialPath, DialPoint, KeptTraining } from '../../src-main/shared/contract-weights.ts';

export class DialPaths {
  readonly #run: string;
  #all = $state.raw<DialPath[]>([]);

  constructor(run: string) {
    this.#run = run;
  }

  get all(): DialPath[] {
    return this.#all;
  }

  async read(service: Service): Promise<void> {
    this.#all = await service.dialPaths(this.#run);
  }

  /** Stores points in the order in which they were visited; returns the path's number. */
  async save(service: Service, training: KeptTraining, points: readonly DialPoint[]): Promise<number> {
    const { path } = await service.saveDialPath(
      training,
      points.map(({ strengths, ranks }) => ({ strengths, ranks })),
    );
    await this.read(service);
    return path;
  }

  async remove(service: Service, path: number): Promise<void> {
    await service.deleteDialPath(path);
    await this.read(service);
  }

  async restore(service: Service, path: number): Promise<void> {
    await service.restoreDialPath(path);
    await this.read(service);
  }
}
