/**
 * Drafts of data sets as windows keep and ask for them; at most one for each, which the last window to write has written.
 * What the rows mean is not checked: a draft is there for what is not complete yet.
 */
import { getDraft, nameOfDataset, removeDraft, setDraft } from '../database/dataset-drafts.ts';
import type { Database } from '../database/open.ts';
import { getSetting } from '../database/settings.ts';
import type { DatasetDraft, DatasetService } from '../shared/contract-datasets.ts';
import { HopscopeError } from '../shared/errors.ts';
import { fieldsOf, requireNumber } from './require.ts';

/** Most characters of a draft: more than a version may have, for what is to be thinned out. */
const mostCharacters = 20_000_000;

export function draftMembers(database: Database): Pick<DatasetService, 'datasetDraft' | 'saveDatasetDraft'> {
  const named = (dataset: number) => {
    const found = nameOfDataset(database, requireNumber(dataset, 'The number of a data set'));
    if (found !== undefined) return found;
    throw new HopscopeError('DatasetNotFound', `There is no data set ${dataset} in this data folder.`);
  };
  return {
    async datasetDraft(dataset) {
      const found = named(dataset);
      return { ...found, folder: String(getSetting(database, 'folder')), draft: getDraft(database, dataset) };
    },
    async saveDatasetDraft(dataset, draft) {
      named(dataset);
      if (draft === null) removeDraft(database, dataset);
      else setDraft(database, dataset, readDraft(draft));
    },
  };
}

/** Errors: `BadArgument`, `DatasetTooLarge`. */
function readDraft(given: unknown): DatasetDraft {
  const { base, written, rows, options } = fieldsOf<DatasetDraft>(given);
  const areTexts = (list: unknown): list is string[] => Array.isArray(list) && list.every((text) => typeof text === 'string');
  const good =
    typeof written === 'string' &&
    !Number.isNaN(Date.parse(written)) &&
    Array.isArray(rows) &&
    rows.every(areTexts) &&
    areTexts(options?.train) &&
    areTexts(options.test);
  if (!good) throw new HopscopeError('BadArgument', 'A draft is a time, rows of texts and two lists of options.');
  const { train, test } = options;
  const size = [...rows, train, test].reduce((sum, texts) => texts.reduce((all, text) => all + text.length, sum), 0);
  if (size > mostCharacters) {
    const message = `The draft has ${size} characters; at most ${mostCharacters} are kept. Split the data set.`;
    throw new HopscopeError('DatasetTooLarge', message);
  }
  return { base: requireNumber(base, 'The version of a draft'), written, rows, options: { train, test } };
}
