/**
 * The filter and order of the list of runs as its address holds them, so that the way back to it leads to the same list.
 * What fits a filter is for the host to say.
 */
import type { RunOrder } from '../../src-main/shared/contract-projects.ts';
import type { RunState } from '../../src-main/shared/records.ts';
import { runStates } from '../../src-main/shared/run-state.ts';
import type { RunFilter } from './runs.svelte.ts';

export interface RunSort {
  by: RunOrder;
  descending: boolean;
}

/** What a list can be sorted by, and whether the greatest comes first where it is sorted so for the first time. */
export const runOrders: { [Order in RunOrder]: { label: string; descending: boolean } } = {
  created: { label: 'Date', descending: true },
  title: { label: 'Title', descending: false },
  experiment: { label: 'Experiment', descending: false },
  model: { label: 'Model', descending: false },
  state: { label: 'State', descending: false },
  facts: { label: 'Facts’ rank', descending: false },
  implications: { label: 'Implications’ rank', descending: false },
  seconds: { label: 'Time', descending: true },
};

export const newestFirst: RunSort = { by: 'created', descending: true };

/** What the screen lets people choose; '' is any. */
export interface RunChoices {
  text: string;
  state: RunState | '';
  everywhere: boolean;
  sort: RunSort;
}

/** Choices of an address; what it does not know is left out. */
export function readRunChoices(query: URLSearchParams): RunChoices {
  const by = query.get('sort') ?? '';
  const order = Object.hasOwn(runOrders, by) ? (by as RunOrder) : newestFirst.by;
  return {
    text: query.get('search') ?? '',
    state: runStates.find((state) => state === query.get('state')) ?? '',
    everywhere: query.get('projects') === 'all',
    sort: { by: order, descending: query.has('order') ? query.get('order') === 'down' : runOrders[order].descending },
  };
}

/** The address of the list with these choices. */
export function runsAddress({ text, state, everywhere, sort }: RunChoices): string {
  const query = new URLSearchParams();
  if (text.trim() !== '') query.set('search', text.trim());
  if (state !== '') query.set('state', state);
  if (everywhere) query.set('projects', 'all');
  if (sort.by !== newestFirst.by) query.set('sort', sort.by);
  if (sort.descending !== runOrders[sort.by].descending) query.set('order', sort.descending ? 'down' : 'up');
  const rest = query.toString();
  return rest === '' ? '/runs' : `/runs?${rest}`;
}

/** What the host is asked for. */
export function filterOf({ text, state, everywhere, sort }: RunChoices, project: number): RunFilter {
  return {
    ...(everywhere ? {} : { project }),
    ...(text.trim() === '' ? {} : { search: text.trim() }),
    ...(state === '' ? {} : { state }),
    sort,
  };
}

/** The order after a press on a column's head: by that column, or the other way round. */
export function sortedBy(sort: RunSort, by: RunOrder): RunSort {
  return sort.by === by ? { by, descending: !sort.descending } : { by, descending: runOrders[by].descending };
}
