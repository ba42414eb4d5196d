/**
 * The gradient of rows that were looked up, summed by row, so that a vocabulary's matrix is never a dense gradient.
 * Looking them up is weights.ts's takeRows.
 */

/** Gradient of the rows that were read: each distinct token once, ascending, with its gradients summed in order of position. */
export interface RowGradient {
  rows: Int32Array;
  /** [rows, width] */
  values: Float32Array;
}

export function sumRows(gradient: Float32Array, width: number, tokens: Int32Array, scale: number): RowGradient {
  const rows = Int32Array.from(new Set(tokens)).sort();
  const place = new Map(Array.from(rows, (row, index) => [row, index]));
  const values = new Float32Array(rows.length * width);
  tokens.forEach((token, index) => {
    const target = place.get(token)! * width;
    const source = index * width;
    for (let column = 0; column < width; column++) values[target + column]! += gradient[source + column]! * scale;
  });
  return { rows, values };
}
