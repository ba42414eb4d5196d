/**
 * Checks a spec against an experiment's parameters and fills in defaults: the one validation behind the command line, the screens and files.
 * It opens no model and no data set.
 */
import { loraProblem } from '../engine/models/lora-targets.ts';
import { layerChoiceProblem } from '../engine/models/parameters.ts';
import { canonicalJson } from '../shared/canonical-json.ts';
import { HopscopeError } from '../shared/errors.ts';
import { isRecord, valueProblem } from '../shared/parameter-values.ts';
import type { ExperimentSpec, Json, Parameter } from '../shared/records.ts';
import type { Experiment } from './experiment.ts';

/** The experiment that a spec names. Errors: `BadSpec`, `UnknownExperiment`. */
export function experimentOf(raw: unknown, experiments: readonly Experiment[]): Experiment {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw new HopscopeError('BadSpec', 'A spec is a list of keys and values, such as `experiment: ocr`.');
  }
  const id = (raw as Record<string, unknown>).experiment;
  const known = experiments.map(({ description }) => description.id);
  if (id === undefined) throw new HopscopeError('BadSpec', `The spec has no key experiment; known are ${known.join(', ')}.`);
  const experiment = experiments.find(({ description }) => description.id === id);
  if (!experiment)
    throw new HopscopeError(
      'UnknownExperiment',
      `experiment: ${JSON.stringify(id)} is not known; known are ${known.join(', ')}.`,
    );
  return experiment;
}

/** The spec with every default filled in. Errors: `UnknownKey`, `MissingKey`, `BadValue`. */
export function completeSpec(
  raw: Record<string, Json | undefined>,
  { description }: Experiment,
  isSmallWorld: boolean,
): ExperimentSpec {
  const names = description.parameters.map(({ name }) => name);
  const unknown = Object.keys(raw).find((key) => key !== 'experiment' && !names.includes(key));
  if (unknown !== undefined) {
    throw new HopscopeError(
      'UnknownKey',
      `The spec's key ${JSON.stringify(unknown)} is not known to ${description.id}; its keys are ${names.join(', ')}.`,
    );
  }
  const complete: Record<string, Json> = { experiment: description.id };
  for (const parameter of description.parameters) {
    const value = raw[parameter.name] ?? (isSmallWorld ? parameter.smallWorldDefault : undefined) ?? parameter.default;
    if (value === undefined || value === null) {
      if (parameter.optional) continue;
      throw new HopscopeError('MissingKey', `The spec has no key ${parameter.name}: ${parameter.help}`);
    }
    const reason = problem(parameter, value);
    if (reason) throw new HopscopeError('BadValue', `${parameter.name}: ${JSON.stringify(value).slice(0, 100)} ${reason}.`);
    complete[parameter.name] = value;
  }
  return complete as ExperimentSpec;
}

/** Why a value does not suit its parameter, or null. */
function problem(parameter: Parameter, value: Json): string | null {
  switch (parameter.kind) {
    case 'trainable':
      return trainableProblem(value);
    case 'trainables':
      return isRecord(value) && Object.keys(value).length > 0 && Object.values(value).every(isFreeSet)
        ? null
        : 'is not a set of names, each with all, mlp_attn, {layers: [...], modules: [mlp, attention]}, {except: {layers: [...], modules: [...]}} or a list of parameter names';
    default:
      return valueProblem(parameter, value);
  }
}

function trainableProblem(value: Json): string | null {
  if (value === 'lora' || isFreeSet(value)) return null;
  if (!isRecord(value) || !('lora' in value)) {
    return 'is not all, mlp_attn, {layers: [...], modules: [mlp, attention]}, {except: {layers: [...], modules: [...]}}, lora, {lora: {rank, alpha, targets, layers, seed}} or a list of parameter names';
  }
  return Object.keys(value).length === 1 ? loraProblem(value.lora) : 'has other keys beside lora; its layers go inside it';
}

/** Parameters of the model itself. */
function isFreeSet(value: Json): boolean {
  if (value === 'all' || value === 'mlp_attn') return true;
  if (Array.isArray(value)) return value.length > 0 && value.every((name) => typeof name === 'string');
  if (!isRecord(value)) return false;
  const { except, ...others } = value;
  if (except === undefined) return layerChoiceProblem(value) === null;
  return Object.keys(others).length === 0 && layerChoiceProblem(except) === null;
}

/** Names of a complete spec's settings, model and data set apart, that are not what they would be by default. */
export function changedSettings(spec: ExperimentSpec, { description }: Experiment, isSmallWorld: boolean): string[] {
  return description.parameters
    .filter(({ name, kind, default: usual, smallWorldDefault }) => {
      if (kind === 'model' || kind === 'dataset') return false;
      const expected = (isSmallWorld ? smallWorldDefault : undefined) ?? usual ?? null;
      return canonicalJson(spec[name] ?? null) !== canonicalJson(expected);
    })
    .map(({ name }) => name);
}
