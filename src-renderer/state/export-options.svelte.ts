/**
 * How figures are saved: their width on paper and whether the caption is printed below. One choice for all figures, kept between visits.
 */
import type { PaperSize } from '../figures/svg.ts';

const key = 'hopscope-figure-export';

class ExportOptions {
  #size = $state<PaperSize>('column');
  #captioned = $state(true);

  constructor() {
    try {
      const stored = JSON.parse(globalThis.localStorage?.getItem(key) ?? '{}') as { size?: unknown; captioned?: unknown };
      if (stored.size === 'page') this.#size = 'page';
      if (stored.captioned === false) this.#captioned = false;
    } catch {
      // Nothing readable is stored, or storage is forbidden: the defaults hold.
    }
  }

  get size(): PaperSize {
    return this.#size;
  }

  set size(size: PaperSize) {
    this.#size = size;
    this.#store();
  }

  get captioned(): boolean {
    return this.#captioned;
  }

  set captioned(captioned: boolean) {
    this.#captioned = captioned;
    this.#store();
  }

  #store(): void {
    try {
      globalThis.localStorage?.setItem(key, JSON.stringify({ size: this.#size, captioned: this.#captioned }));
    } catch {
      // Storage is full or forbidden: the choice holds until the window closes.
    }
  }
}

export const exportOptions = new ExportOptions();
