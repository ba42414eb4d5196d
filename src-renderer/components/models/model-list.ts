/**
 * Which of a project's models a list shows and in which order, from what is known of their folders. It asks nobody for anything.
 */
import type { ProjectModel } from '../../../src-main/shared/contract-models.ts';
import { hasWords, searchWords } from '../../text/search-words.ts';

/** A model with what its list is searched and sorted by; null: not known. */
export interface ListedModel {
  model: ProjectModel;
  family: string | null;
  dtype: string | null;
  parameters: number | null;
  bytes: number | null;
  isBroken: boolean;
}

export type ModelOrder = 'added' | 'name' | 'parameters' | 'bytes';

export interface ModelQuery {
  /** Words, each of which is somewhere in name, path, family or number type, whatever the case. */
  text: string;
  onlyBroken: boolean;
  by: ModelOrder;
  descending: boolean;
}

/** Those that fit, in order; among equals, and where a value is not known, as they were added. */
export function arrangeModels(list: readonly ListedModel[], query: ModelQuery): ListedModel[] {
  const words = searchWords(query.text);
  const fitting = list.filter(({ model, family, dtype, isBroken }) => {
    const searched = `${model.name} ${model.path} ${family ?? ''} ${dtype ?? ''}`;
    return (isBroken || !query.onlyBroken) && hasWords(searched, words);
  });
  const sign = query.descending ? -1 : 1;
  if (query.by === 'added') return query.descending ? fitting.reverse() : fitting;
  const { by } = query;
  if (by === 'name') {
    return fitting.sort((a, b) => sign * a.model.name.localeCompare(b.model.name, 'en', { numeric: true, sensitivity: 'base' }));
  }
  return fitting.sort((a, b) => {
    const [left, right] = [a[by], b[by]];
    return left === null || right === null ? Number(left === null) - Number(right === null) : sign * (left - right);
  });
}
