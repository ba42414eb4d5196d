/**
 * Settings as a form holds them: one line of text per parameter, read into the JSON value a spec carries.
 * The host checks a spec again and has the last word; this catches slips while they are typed.
 */
import { valueProblem } from '../../src-main/shared/parameter-values.ts';
import type { Json, Parameter } from '../../src-main/shared/records.ts';
import { numberWords } from '../../src-main/shared/setting-words.ts';
import { formatNumber } from './format.ts';
import { parseDraft } from './json-draft.ts';

/** `value` undefined: left out of the spec, so that the default applies. */
export type Reading = { value: Json | undefined; problem: null } | { value?: undefined; problem: string };

/** The text that stands for a value: `3e-4`, `0, 1, 2` for a list of numbers, JSON for anything nested. */
export function draftOf(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberWords(value);
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'number')) return value.join(', ');
  return JSON.stringify(value);
}

/** Reads a draft; the problem says what to type instead. */
export function readDraft(parameter: Parameter, draft: string): Reading {
  const text = draft.trim();
  if (text === '') {
    if (parameter.kind === 'model') return { problem: 'Give the path of a model folder.' };
    if (parameter.kind === 'dataset') return { problem: 'Give the path of a data set file.' };
    if (parameter.default !== undefined || parameter.optional) return { value: undefined, problem: null };
    return { problem: `${parameter.label} is needed.` };
  }
  const reading = readText(parameter, text);
  const reason = reading.problem === null && reading.value !== undefined ? valueProblem(parameter, reading.value) : null;
  return reason === null ? reading : { problem: refusal(text, reason) };
}

/** A reason is worded to stand after the value: short ones are named, long ones are in view anyway. */
function refusal(text: string, reason: string): string {
  const named = text.length <= 24 && !/^[[{]/.test(text) ? `“${text}”` : 'This';
  return `${named} ${reason}.`;
}

function readText(parameter: Parameter, text: string): Reading {
  switch (parameter.kind) {
    case 'number':
      return readNumber(parameter, text);
    case 'integer':
      return readInteger(parameter, text);
    case 'integers':
      return readIntegers(parameter, text);
    case 'choice':
      return parameter.choices?.some((choice) => choice.value === text) === false
        ? { problem: `Choose one of ${parameter.choices.map((choice) => choice.value).join(', ')}.` }
        : { value: text, problem: null };
    case 'trainable':
      return readTrainable(text);
    case 'boolean':
      return text === 'true' || text === 'false' ? { value: text === 'true', problem: null } : { problem: 'Type true or false.' };
    case 'counterfactuals':
      return text === 'all' ? { value: text, problem: null } : readJson(text);
    case 'memory':
      return { value: /^\d+(\.\d+)?$/.test(text) ? Number(text) : text, problem: null };
    case 'folders':
      return readFolders(parameter, text);
    case 'prompt':
    case 'orders':
      return readJson(text);
    case 'trainables':
      return readSets(text);
    case 'model':
    case 'dataset':
      return text.startsWith('{') ? readJson(text) : { value: text, problem: null };
    default:
      return readAnything(text);
  }
}

/** A list of paths; rows that were left empty are none. */
function readFolders(parameter: Parameter, text: string): Reading {
  const reading = readJson(text);
  if (!Array.isArray(reading.value)) return reading;
  const folders = reading.value.filter((folder) => typeof folder !== 'string' || folder.trim() !== '');
  return folders.length === 0 && parameter.optional ? { value: undefined, problem: null } : { value: folders, problem: null };
}

/** Kinds that this form has no control for: JSON, or a bare word for a text. */
function readAnything(text: string): Reading {
  if (/^[[{"]/.test(text)) return readJson(text);
  const value = parseDraft(text);
  return { value: value === undefined ? text : value, problem: null };
}

function readNumber(parameter: Parameter, text: string): Reading {
  const value = Number(text);
  if (!Number.isFinite(value)) return { problem: 'Type a number, for example 0.0003 or 3e-4.' };
  return inRange(parameter, value);
}

function readInteger(parameter: Parameter, text: string): Reading {
  if (!/^[+-]?\d+$/.test(text)) return { problem: 'Type a whole number.' };
  return inRange(parameter, Number(text));
}

function readIntegers(parameter: Parameter, text: string): Reading {
  const pieces = text
    .replace(/^\[|\]$/g, '')
    .split(/[\s,;]+/)
    .filter((piece) => piece !== '');
  if (pieces.length === 0 || pieces.some((piece) => !/^[+-]?\d+$/.test(piece))) {
    return { problem: 'Type whole numbers separated by commas, for example 0, 1, 2.' };
  }
  const values = pieces.map(Number);
  if (new Set(values).size < values.length) return { problem: 'Give each number once.' };
  for (const value of values) {
    const reading = inRange(parameter, value);
    if (reading.problem !== null) return reading;
  }
  return { value: values, problem: null };
}

function inRange(parameter: Parameter, value: number): Reading {
  const { minimum, maximum } = parameter;
  const low = minimum !== undefined && value < minimum;
  const high = maximum !== undefined && value > maximum;
  if (!Number.isSafeInteger(value) && parameter.kind !== 'number') return { problem: 'That number is too large.' };
  if (!low && !high) return { value, problem: null };
  if (minimum !== undefined && maximum !== undefined) {
    return { problem: `Between ${formatNumber(minimum)} and ${formatNumber(maximum)}.` };
  }
  return { problem: low ? `At least ${formatNumber(minimum!)}.` : `At most ${formatNumber(maximum!)}.` };
}

function readTrainable(text: string): Reading {
  if (!text.startsWith('{') && !text.startsWith('[')) return { value: text, problem: null };
  const reading = readJson(text);
  if (reading.problem !== null) return reading;
  const value = reading.value;
  const list = Array.isArray(value) ? value : layersOf(value);
  if (Array.isArray(list) && list.length === 0) {
    return { problem: Array.isArray(value) ? 'Name at least one tensor.' : 'Choose at least one layer.' };
  }
  return reading;
}

/** Several choices of weights by name. */
function readSets(text: string): Reading {
  const reading = readJson(text);
  if (reading.problem !== null) return reading;
  const sets = typeof reading.value === 'object' && reading.value !== null ? Object.entries(reading.value) : [];
  for (const [name, set] of sets) {
    const { problem } = readTrainable(draftOf(set));
    if (problem !== null) return { problem: `${name}: ${problem}` };
  }
  return reading;
}

/** Of a choice of layers, or of all but it. */
function layersOf(value: Json | undefined): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value.except === undefined ? value.layers : layersOf(value.except);
}

function readJson(text: string): Reading {
  try {
    return { value: JSON.parse(text) as Json, problem: null };
  } catch (error) {
    return { problem: `This is not JSON: ${error instanceof Error ? error.message : String(error)}.` };
  }
}
