/**
 * `hopscope pretrain`: trains a small-world model from a recipe; stopped, it goes on from its last saved state when run again.
 * The recipe's values are judged in world/; here its file is laid over the default.
 */
import { mean } from '../scores/statistics.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Json } from '../shared/records.ts';
import { pretrain as train } from '../world/pretrain.ts';
import { DEFAULT_RECIPE, type Recipe, withChanges } from '../world/recipe.ts';
import type { Command } from './command.ts';
import { duration, facts, grouped } from './text.ts';
import { readYamlFile } from './yaml-file.ts';

export const pretrain: Command = {
  name: 'pretrain',
  summary: 'train a small-world model from a recipe',
  options: [
    { name: 'recipe', value: 'FILE', help: "YAML with what differs from the shipped model's recipe" },
    { name: 'out', value: 'FOLDER', help: 'the model folder to make; run again to go on after a stop', required: true },
  ],

  async run(given, context) {
    const path = given.optional('recipe');
    const out = given.text('out');
    const recipe = path === undefined ? DEFAULT_RECIPE : readRecipe(path);
    const { progress: onProgress, signal } = context;
    const record = await train(recipe, { ...(await context.session()), out, onProgress, signal });
    const { parameters, seconds, losses, evaluations } = record;
    const last = evaluations.at(-1);
    const text = facts([
      ['model', out],
      ['recipe', recipe.name],
      ['steps', recipe.steps],
      ['parameters', grouped(parameters)],
      ['time', duration(seconds)],
      ['last loss', losses.at(-1)?.toFixed(4) ?? null],
      ...(last ? [['after finetuning', `first hop ${ranks(last.firstHop)}; second hop ${ranks(last.secondHop)}`] as const] : []),
    ]);
    context.print({ out, recipe: recipe.name, steps: recipe.steps, parameters, seconds, losses, evaluations }, text);
  },
};

function ranks({ fact, implication }: { fact: number[]; implication: number[] }): string {
  return `facts ${mean(fact).toFixed(2)}, implications ${mean(implication).toFixed(2)}`;
}

/** Errors: `BadYaml`, `UnknownKey`, `BadRecipe`. */
function readRecipe(path: string): Recipe {
  const changes = readYamlFile(path);
  const merged = overlay(DEFAULT_RECIPE as unknown as Json, changes, path, []);
  return withChanges(DEFAULT_RECIPE, merged as unknown as Partial<Recipe>);
}

/** `base` with the values of `changes`; keys, kinds and nesting must be those of `base`. */
function overlay(base: Json, changes: Json, path: string, keys: string[]): Json {
  const wrong = (wanted: string) =>
    new HopscopeError('BadRecipe', `${path}: ${keys.join('.')} is ${JSON.stringify(changes)}; ${wanted} is expected.`);
  if (isRecord(base)) {
    if (!isRecord(changes)) throw wrong('a mapping');
    const result = { ...base };
    for (const [key, value] of Object.entries(changes)) {
      if (!Object.hasOwn(base, key)) {
        const known = Object.keys(base).join(', ');
        throw new HopscopeError('UnknownKey', `${path}: the key ${[...keys, key].join('.')} is unknown; known are ${known}.`);
      }
      result[key] = overlay(base[key]!, value, path, [...keys, key]);
    }
    return result;
  }
  if (Array.isArray(base)) {
    if (!Array.isArray(changes) || changes.some((value) => typeof value !== 'number')) throw wrong('a list of numbers');
    return changes;
  }
  if (typeof changes !== typeof base) throw wrong(`a ${typeof base === 'string' ? 'text' : typeof base}`);
  return changes;
}

function isRecord(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
