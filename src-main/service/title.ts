/**
 * The names that a run is listed under, made from its spec. They identify nothing: the run's own name does.
 */
import type { ExperimentSpec, Json } from '../shared/records.ts';
import { numberWords, seedWords, settingsWithoutEffect } from '../shared/setting-words.ts';

/** Settings of the machine and of what is kept: they tell no results apart. */
const unnamed = ['device', 'threads', ...settingsWithoutEffect];
/** Settings that a title names at the most. */
const mostNamed = 4;
const longestValue = 28;

interface Choices {
  /** What the data set is called, where its spec does not say. */
  named?: string;
  /** Settings that differ from the defaults. */
  changed?: readonly string[];
}

/** `title` is, for example, `OCR · first-hop · lr 3e-4, 8 epochs · small-world`. */
export function titleOf(
  spec: ExperimentSpec,
  { named, changed = [] }: Choices = {},
): { title: string; model: string; dataset: string } {
  const model = lastPart(spec.model);
  const dataset = named ?? datasetName(spec.dataset);
  const settings = settingsText(spec, changed);
  const parts = [experimentName(spec.experiment), dataset, ...(settings === '' ? [] : [settings]), model];
  return { title: parts.join(' · '), model, dataset };
}

/** `lr 3e-4, 8 epochs`. */
function settingsText(spec: ExperimentSpec, changed: readonly string[]): string {
  const texts = changed.filter((name) => !unnamed.includes(name)).map((name) => settingText(name, spec[name]));
  const rest = texts.length - mostNamed;
  return [...texts.slice(0, mostNamed), ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
}

function settingText(name: string, value: Json | undefined): string {
  const words = name.replaceAll('_', ' ');
  if (name === 'epochs') return `${value} ${value === 1 ? 'epoch' : 'epochs'}`;
  if (name === 'seeds' && Array.isArray(value)) return seedWords(value as number[]);
  if (name === 'orders') return 'given batches';
  if (typeof value === 'boolean') return value ? words : `no ${words}`;
  const text = valueText(value);
  return text.length > longestValue ? `other ${words}` : `${words} ${text}`;
}

/** `3e-4`, `merge`, `layers 4 5`. */
function valueText(value: Json | undefined): string {
  if (typeof value === 'number') return numberWords(value);
  if (Array.isArray(value)) return value.map(valueText).join(' ');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([key, each]) => `${key} ${valueText(each)}`)
      .join(' ');
  }
  return String(value ?? 'none');
}

/** `OCR`, `Layer freezing`. */
function experimentName(id: string): string {
  if (id === 'ocr') return 'OCR';
  const words = id.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function datasetName(dataset: Json | undefined): string {
  return typeof dataset === 'string' ? lastPart(dataset).replace(/\.(json|jsonl|csv|ya?ml)$/i, '') : 'inline data';
}

function lastPart(path: string): string {
  return path.split(/[/\\]/).findLast((part) => part !== '') ?? path;
}
