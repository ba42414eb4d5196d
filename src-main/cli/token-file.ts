/**
 * Reads a batch of token ids from a safetensors file: `input_ids` [B, T] and optionally `attention_mask`, padded on the right.
 * Whether the ids are in a model's vocabulary is checked where they are used.
 */
import type { TokenBatch } from '../engine/execution/executor.ts';
import { SafetensorsFile } from '../engine/files/safetensors.ts';
import { HopscopeError } from '../shared/errors.ts';

export interface TokenRows {
  batch: TokenBatch;
  /** Rows (item * positions + position) that are not padding, ascending. */
  real: number[];
}

/** Errors: `CannotRead`, `BadSafetensors`, `MissingTensor`, `BadTokens`, `NotRightPadded`. */
export function readTokenFile(path: string): TokenRows {
  const file = SafetensorsFile.open(path);
  try {
    const ids = readIntegers(file, 'input_ids');
    const [batch, positions] = ids.shape as [number, number];
    const mask = file.tensors.has('attention_mask') ? readIntegers(file, 'attention_mask') : null;
    if (mask && mask.shape.join() !== ids.shape.join()) {
      throw new HopscopeError(
        'BadTokens',
        `${path}: attention_mask is [${mask.shape.join(', ')}], but input_ids [${ids.shape.join(', ')}].`,
      );
    }
    const real: number[] = [];
    const tokens = new Int32Array(batch * positions);
    for (let row = 0; row < tokens.length; row++) {
      const kept = mask ? mask.values[row] : 1;
      if (kept !== 0 && kept !== 1)
        throw new HopscopeError('BadTokens', `${path}: attention_mask holds ${kept}; 0 and 1 are expected.`);
      if (kept === 0) continue;
      const column = row % positions;
      if (column > 0 && mask?.values[row - 1] === 0) {
        throw new HopscopeError(
          'NotRightPadded',
          `${path}: row ${Math.floor(row / positions)} has a token at position ${column} after padding; pad on the right.`,
        );
      }
      // What stands at padded positions may be any number, so it is left 0 there
      tokens[row] = ids.values[row]!;
      real.push(row);
    }
    if (real.length === 0) throw new HopscopeError('BadTokens', `${path}: input_ids holds no token.`);
    return { batch: { tokens, batch, positions }, real };
  } finally {
    file.close();
  }
}

function readIntegers(file: SafetensorsFile, name: string): { shape: readonly number[]; values: number[] } {
  const { type, shape, data } = file.read(name);
  if (type !== 'int64' && type !== 'int32' && type !== 'uint8' && type !== 'bool') {
    throw new HopscopeError('BadTokens', `${file.path}: ${name} is ${file.info(name).dtype}; int64 is expected.`);
  }
  if (shape.length !== 2)
    throw new HopscopeError('BadTokens', `${file.path}: ${name} has shape [${shape.join(', ')}]; [B, T] is expected.`);
  const values = Array.from(data, Number);
  const outside = values.find((value) => Math.abs(value) > 2 ** 31 - 1);
  if (outside !== undefined) throw new HopscopeError('BadTokens', `${file.path}: ${name} holds ${outside}, which is no token.`);
  return { shape, values };
}
