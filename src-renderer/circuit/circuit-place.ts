/**
 * What the circuit explorer shows, as the query of its address, so that it can be reloaded, sent and gone back to.
 * A saved circuit is named by its number; of how it was looked at the address has only what was changed since.
 */
import type { MapChoice } from './map-choice.ts';

const circuitTabs = ['maps', 'circuit', 'strength'] as const;
export type CircuitTab = (typeof circuitTabs)[number];

const views: readonly MapChoice['view'][] = ['mlp', 'attn', 'heads'];

export interface CircuitPlace {
  tab: CircuitTab;
  /** Null: the run's first, or its last checkpoint. */
  stage: string | null;
  /** Index of an item; -1: the average. */
  item: number;
  /** Null: the mean over seeds. */
  seed: number | null;
  /** Another run whose scores are subtracted, and its stage; null: none, and the one that suits. */
  minus: string | null;
  minusStage: string | null;
  /** Which components the maps show, and at which token heads are shown; null: added over all. */
  view: MapChoice['view'];
  token: number | null;
  /** Keys of open and selected components; in the maps one without a token is added over all of them. */
  components: readonly string[];
}

export const firstPlace: CircuitPlace = {
  tab: 'maps',
  stage: null,
  item: -1,
  seed: null,
  minus: null,
  minusStage: null,
  view: 'mlp',
  token: null,
  components: [],
};

/** What the query names; the rest is as in `first`. */
export function readPlace(query: URLSearchParams, first: CircuitPlace): CircuitPlace {
  const text = (name: string, value: string | null) => query.get(name) ?? value;
  const number = (name: string, none: string, ifNone: number | null, value: number | null) => {
    const given = query.get(name);
    if (given === none) return ifNone;
    return given !== null && /^\d{1,9}$/.test(given) ? Number(given) : value;
  };
  const tab = circuitTabs.find((each) => each === query.get('tab'));
  const view = views.find((each) => each === query.get('view'));
  const components = query.get('component');
  return {
    tab: tab ?? first.tab,
    stage: text('stage', first.stage),
    item: number('item', 'average', -1, first.item) ?? -1,
    seed: number('seed', 'mean', null, first.seed),
    minus: text('minus', first.minus),
    minusStage: text('minus-stage', first.minusStage),
    view: view ?? first.view,
    token: number('token', 'all', null, first.token),
    components: components === null ? first.components : components.split(',').filter(Boolean),
  };
}

/** What of `place` is other than it was. */
export function changedPlace(before: CircuitPlace, place: CircuitPlace): Partial<CircuitPlace> {
  const isOther = ([name, value]: [string, unknown]) =>
    JSON.stringify(value) !== JSON.stringify(before[name as keyof CircuitPlace]);
  return Object.fromEntries(Object.entries(place).filter(isOther));
}

/** What differs from `first`, with the number of the circuit that is open; empty where nothing does. */
export function placeQuery(place: CircuitPlace, first: CircuitPlace, circuit: number | null): string {
  const query = new URLSearchParams();
  const set = (name: string, value: string, isFirst: boolean) => {
    if (!isFirst) query.set(name, value);
  };
  if (circuit !== null) query.set('circuit', String(circuit));
  set('tab', place.tab, place.tab === first.tab);
  set('stage', place.stage ?? '', place.stage === first.stage || place.stage === null);
  set('item', place.item < 0 ? 'average' : String(place.item), place.item === first.item);
  set('seed', place.seed === null ? 'mean' : String(place.seed), place.seed === first.seed);
  set('minus', place.minus ?? '', place.minus === first.minus || place.minus === null);
  set('minus-stage', place.minusStage ?? '', place.minusStage === first.minusStage || place.minusStage === null);
  set('view', place.view, place.view === first.view);
  set('token', place.token === null ? 'all' : String(place.token), place.token === first.token);
  if (place.components.length > 0) query.set('component', place.components.join(','));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
