/**
 * Whether a value suits the setting it is given for: the one check behind the command line, files and forms, by a parameter's kind.
 * What needs more than the value - which weights train, a model, a data set - is for experiments/spec.ts and the experiments to judge.
 */
import { byteCount } from './byte-count.ts';
import type { Json, Parameter } from './records.ts';

/** Why a value does not suit its parameter, to be put after the value; null where it does, or where its kind is not judged here. */
export function valueProblem(parameter: Parameter, value: Json): string | null {
  const { kind, minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, choices = [] } = parameter;
  const isNumber = (candidate: Json, whole: boolean) =>
    typeof candidate === 'number' &&
    Number.isFinite(candidate) &&
    (!whole || Number.isSafeInteger(candidate)) &&
    candidate >= minimum &&
    candidate <= maximum;
  const range = `from ${minimum === Number.NEGATIVE_INFINITY ? 'any' : minimum} to ${maximum === Number.POSITIVE_INFINITY ? 'any' : maximum}`;
  switch (kind) {
    case 'number':
      return isNumber(value, false) ? null : `is not a number ${range}`;
    case 'integer':
      return isNumber(value, true) ? null : `is not a whole number ${range}`;
    case 'integers': {
      const good =
        Array.isArray(value) &&
        value.length > 0 &&
        value.every((item) => isNumber(item, true)) &&
        new Set(value).size === value.length;
      return good ? null : `is not a list of different whole numbers ${range}`;
    }
    case 'choice':
      return choices.some((choice) => choice.value === value)
        ? null
        : `is not one of ${choices.map((choice) => choice.value).join(', ')}`;
    case 'boolean':
      return typeof value === 'boolean' ? null : 'is neither true nor false';
    case 'model':
      return typeof value === 'string' && value.length > 0 ? null : 'is not a folder or small-world';
    case 'folders': {
      const good =
        Array.isArray(value) && value.length > 0 && value.every((folder) => typeof folder === 'string' && folder !== '');
      return good ? null : 'is not a list of folders';
    }
    case 'dataset':
      return (typeof value === 'string' && value.length > 0) || isRecord(value)
        ? null
        : 'is not a name, a file or an inline data set';
    case 'prompt': {
      const good =
        isRecord(value) &&
        Object.keys(value).length === 2 &&
        [value.prompt, value.answer].every((text) => typeof text === 'string' && text.trim() !== '');
      return good ? null : 'is not {prompt, answer}, two texts';
    }
    case 'components':
      return componentsProblem(value);
    case 'counterfactuals':
      return value === 'all' || isDraw(value) || isIndexLists(value)
        ? null
        : 'is not all, {count, seed} or a list of item indices for each item';
    case 'memory':
      return byteCount(String(value)) === null ? 'is not a number of bytes, such as 8GiB or 900MB' : null;
    case 'orders':
      return isOrder(value) || (isRecord(value) && Object.values(value).every(isOrder))
        ? null
        : 'is not a list of epochs, each a list of batches, each a list of item indices (or several such lists by name)';
    default:
      return null;
  }
}

/** Whether a value has keys. */
export function isRecord(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A number of counterfactuals to draw and the seed to draw them by. */
function isDraw(value: Json): boolean {
  if (!isRecord(value) || Object.keys(value).length !== 2) return false;
  const { count, seed } = value;
  return Number.isSafeInteger(count) && (count as number) > 0 && Number.isSafeInteger(seed) && (seed as number) >= 0;
}

/** Whether the numbers are items is for the counterfactuals to check. */
function isIndexLists(value: Json): boolean {
  return Array.isArray(value) && value.every((list) => Array.isArray(list) && list.every((index) => Number.isInteger(index)));
}

const componentKeys = ['part', 'layer', 'head', 'token'];

/** Whether a model and its prompts have the components is for the experiment to check. */
function componentsProblem(value: Json): string | null {
  if (!Array.isArray(value)) return 'is not a list of components, each {part: mlp or attn, layer, head, token}';
  if (value.length === 0) return 'is an empty list; name at least one component';
  const isIndex = (candidate: Json | undefined) => Number.isSafeInteger(candidate) && (candidate as number) >= 0;
  for (const [index, component] of value.entries()) {
    const where = `has the entry ${index + 1}`;
    if (!isRecord(component)) return `${where}, which is not {part, layer, head, token}`;
    const { part, layer, head, token } = component;
    const unknown = Object.keys(component).find((key) => !componentKeys.includes(key));
    if (unknown !== undefined)
      return `${where} with the unknown key ${JSON.stringify(unknown)}; known are ${componentKeys.join(', ')}`;
    if (part !== 'mlp' && part !== 'attn') return `${where} with the part ${JSON.stringify(part)}, which is neither mlp nor attn`;
    if (!isIndex(layer) || !isIndex(token)) return `${where}, whose layer and token are not both whole numbers from 0`;
    if (head !== null && !(part === 'attn' && isIndex(head)))
      return `${where}, whose head is ${part === 'mlp' ? 'not null, as an MLP’s must be' : 'neither null (all heads) nor a whole number from 0'}`;
  }
  return null;
}

function isOrder(value: Json): boolean {
  const isIndices = (batch: Json) =>
    Array.isArray(batch) && batch.every((index) => Number.isInteger(index) && (index as number) >= 0);
  return Array.isArray(value) && value.length > 0 && value.every((epoch) => Array.isArray(epoch) && epoch.every(isIndices));
}
