/**
 * Which data sets of a project an experiment can use: facts with implications, or pairs of made-up words where it offers those.
 */
import type { DatasetKindName } from '../../src-main/shared/contract-datasets.ts';
import type { Parameter } from '../../src-main/shared/records.ts';

/** `parameter`: the experiment's data, where it asks for any. */
export function takesKind(parameter: Parameter | null | undefined, kind: DatasetKindName): boolean {
  const takesWords = parameter?.choices?.some(({ value }) => value === 'daxwug') ?? false;
  return (kind === 'daxwug') === takesWords;
}
