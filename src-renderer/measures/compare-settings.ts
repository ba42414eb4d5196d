/**
 * Which settings runs share and which they differ in, what each run is then called, and whether the differences span a grid.
 * It compares specs and provenance; what was measured is compare-curves.ts's.
 */

import type { Figure, TableFigure } from '../../src-main/shared/figures.ts';
import type { EvaluationRow, ItemSet, Json, RunDetail, StepRow } from '../../src-main/shared/records.ts';
import { settingsWithoutEffect } from '../../src-main/shared/setting-words.ts';
import { draftOf } from '../text/drafts.ts';
import { baseName } from '../text/format.ts';

/** A run with everything that comparing it needs. */
export interface ComparedRun {
  detail: RunDetail;
  sets: ItemSet[];
  steps: StepRow[];
  evaluations: EvaluationRow[];
  figures: Figure[];
}

/** One setting over all runs, in their order; empty where a run has no such setting. */
export interface SettingRow {
  name: string;
  values: string[];
  differs: boolean;
}

/** Settings by name: those of the spec, and of the provenance what can differ where specs are alike. */
function settingsOf({ spec, provenance }: RunDetail): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [name, value] of Object.entries(spec)) settings.set(name, settingText(name, value));
  if (provenance !== null) {
    settings.set('model hash', provenance.modelHash.slice(0, 12));
    settings.set('data hash', provenance.datasetHash.slice(0, 12));
    settings.set('computed on', provenance.device);
    settings.set('threads used', String(provenance.threads));
    settings.set('version', provenance.versions.hopscope ?? '');
  }
  return settings;
}

function settingText(name: string, value: Json | undefined): string {
  if (typeof value === 'string' && (name === 'model' || name === 'dataset')) return baseName(value);
  const text = draftOf(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Full texts decide what differs, so that two long values that begin alike are told apart. */
function wholeText({ spec }: RunDetail, name: string): string {
  return JSON.stringify(spec[name] ?? null);
}

/** Differing ones first, each part in the order of the specs. */
export function settingRows(runs: readonly RunDetail[]): SettingRow[] {
  const every = runs.map(settingsOf);
  const names = [...new Set(every.flatMap((settings) => [...settings.keys()]))];
  const rows = names.map((name) => {
    const values = every.map((settings) => settings.get(name) ?? '');
    const differs = new Set(values).size > 1 || new Set(runs.map((run) => wholeText(run, name))).size > 1;
    return { name, values: alike(values), differs };
  });
  return [...rows.filter(({ differs }) => differs), ...rows.filter(({ differs }) => !differs)];
}

/** Numbers in one notation: where one is written with an exponent, all are, so that 1e-3 stands beside 1e-4. */
function alike(values: readonly string[]): string[] {
  const numbers = values.every((value) => value === '' || Number.isFinite(Number(value)));
  if (!numbers || !values.some((value) => value.includes('e'))) return [...values];
  return values.map((value) => (value === '' ? '' : Number(value).toExponential().replace('e+', 'e')));
}

/** What followed from the settings, and settings that change no measurement: none of them names a run. */
const nameless = new Set([...['model hash', 'data hash', 'computed on', 'threads used', 'version'], ...settingsWithoutEffect]);

/** The rows as a table, a column for each run. */
export function settingTable(rows: readonly SettingRow[], runs: number): TableFigure {
  return {
    id: 'compare-settings',
    kind: 'table',
    title: 'Settings',
    caption: 'Settings of the compared runs.',
    columns: ['Setting', ...Array.from({ length: runs }, (_, place) => runLetter(place))],
    rows: rows.map(({ name, values }) => [name, ...values.map((value) => value || null)]),
  };
}

/** A handle for each run: A, B, ... */
export function runLetter(place: number): string {
  return place < 26 ? String.fromCharCode(65 + place) : `${runLetter(Math.floor(place / 26) - 1)}${runLetter(place % 26)}`;
}

/** What each run is called among the others: its letter, and what it differs in. */
export function runLabels(runs: readonly RunDetail[]): string[] {
  const rows = settingRows(runs).filter(({ name, differs }) => differs && !nameless.has(name));
  const shown = rows.slice(0, 3);
  return runs.map((run, place) => {
    const parts = shown.flatMap(({ name, values }) => (values[place] === '' ? [] : [`${name} ${shorten(values[place]!)}`]));
    return `${runLetter(place)} ${parts.length === 0 ? run.run.split('-').at(-1)! : parts.join(', ')}`;
  });
}

const shorten = (text: string) => (text.length > 24 ? `${text.slice(0, 23)}…` : text);

/** Runs laid out by the one or two settings that they differ in; each place of the grid holds one run's index, or none. */
export interface Sweep {
  columns: { name: string; values: string[] };
  rows: { name: string; values: string[] } | null;
  places: (number | null)[];
}

/** Null where runs differ in more than two settings, in none, or two of them share all. */
export function sweepOf(runs: readonly RunDetail[]): Sweep | null {
  const differing = settingRows(runs).filter(({ name, differs }) => differs && !nameless.has(name));
  if (runs.length < 2 || differing.length < 1 || differing.length > 2) return null;
  // The setting with more values lies across
  const [across, down] = [...differing].sort((a, b) => new Set(b.values).size - new Set(a.values).size) as [
    SettingRow,
    SettingRow | undefined,
  ];
  const columns = { name: across.name, values: ordered(across.values) };
  const rows = down === undefined ? null : { name: down.name, values: ordered(down.values) };
  const places = (rows?.values ?? ['']).flatMap((row) =>
    columns.values.map((column) => {
      const found = runs.flatMap((_, index) =>
        across.values[index] === column && (down === undefined || down.values[index] === row) ? [index] : [],
      );
      return found;
    }),
  );
  if (places.some((found) => found.length > 1)) return null;
  return { columns, rows, places: places.map((found) => found[0] ?? null) };
}

/** Numbers by size, texts as they came. */
function ordered(values: readonly string[]): string[] {
  const distinct = [...new Set(values)];
  return distinct.every((value) => value !== '' && Number.isFinite(Number(value)))
    ? distinct.sort((a, b) => Number(a) - Number(b))
    : distinct;
}
