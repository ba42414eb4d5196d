/**
 * The widths of a grid's columns as state, remembered between visits under the grid's name.
 */
import { type Keeper, readWidths, writeWidths } from '../datasets/kept-locally.ts';

export const narrowest = 80;
export const widest = 900;

export class ColumnWidths {
  #widths = $state.raw<readonly number[]>([]);
  #name: string;
  #keeper: Keeper;

  /** `standard`: pixels at first. */
  constructor(name: string, standard: readonly number[], keeper: Keeper) {
    this.#name = name;
    this.#keeper = keeper;
    this.#widths = readWidths(keeper, name, standard);
  }

  get all(): readonly number[] {
    return this.#widths;
  }

  set(column: number, width: number): void {
    const fitting = Math.round(Math.max(narrowest, Math.min(width, widest)));
    this.#widths = this.#widths.map((old, index) => (index === column ? fitting : old));
    writeWidths(this.#keeper, this.#name, this.#widths);
  }
}
