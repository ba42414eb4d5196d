/**
 * Where the numbers of a figure come from, in one sentence for its file and its caption: model, data, seeds, date, run.
 * It is made of the runs' own records alone.
 */
import type { RunDetail } from '../../src-main/shared/records.ts';
import { seedWords } from '../../src-main/shared/setting-words.ts';
import { baseName, plural } from './format.ts';

/** Letters of a hash that are printed: enough to tell versions apart. */
const hashLetters = 12;

interface CaptionOptions {
  /** The seeds that are shown; absent: all of the runs' specs. */
  seeds?: readonly number[] | undefined;
  /** Handles by which a figure of several runs calls them, in their order. */
  letters?: readonly string[];
}

/** Names every run. The name of a project's data set says its version; the hash tells versions of all others apart. */
export function captionOf(runs: readonly RunDetail[], { seeds: shown, letters }: CaptionOptions = {}): string {
  if (runs.length === 0) return '';
  const models = distinct(runs.map(modelOf));
  const data = distinct(runs.map(dataOf));
  const given = shown === undefined ? runs.map(seedsOf) : [shown.length === 0 ? '' : seedWords(shown)];
  const seeds = distinct(given.filter((text) => text !== ''));
  const days = distinct(runs.map(dayOf)).sort();
  const named = runs.map(({ run }, place) => (letters === undefined ? run : `${letters[place]} ${run}`)).join(', ');
  const parts = [
    `${models.length === 1 ? 'Model' : 'Models'} ${models.join(', ')}`,
    `data ${data.join(', ')}`,
    ...(seeds.length === 0 ? [] : [seeds.join(' or ')]),
  ];
  const when = days.length === 1 ? days[0]! : `${days[0]} to ${days.at(-1)}`;
  return `${parts.join('; ')}. ${runs.length === 1 ? 'Run' : plural(runs.length, 'run')}${runs.length === 1 ? '' : ':'} ${named}, ${when}.`;
}

function modelOf({ model, provenance }: RunDetail): string {
  return withHash(baseName(model), provenance?.modelHash);
}

function dataOf({ dataset, provenance }: RunDetail): string {
  return withHash(baseName(dataset), provenance?.datasetHash);
}

function withHash(name: string, hash: string | undefined): string {
  return hash === undefined || hash === '' ? name : `${name} (${hash.slice(0, hashLetters)})`;
}

/** `seed 0`, `seeds 0 to 4` or `seeds 1, 5`; nothing where the spec names none. */
function seedsOf({ spec }: RunDetail): string {
  const given = spec.seeds;
  if (spec.orders !== undefined || !Array.isArray(given) || given.length === 0) return '';
  return seedWords(given.map(Number));
}

/** The day a run was made, the same everywhere: ISO 8601, UTC. */
function dayOf({ finished, created }: RunDetail): string {
  return (finished ?? created).slice(0, 10);
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
