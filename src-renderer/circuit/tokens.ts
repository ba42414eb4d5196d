/**
 * The names of columns: the tokens of the accumulation prompt or of an item as a run stored them, else their numbers, counted from 0 as in specs, addresses and files.
 * It reads results and makes no tokens of its own.
 */
import type { Json } from '../../src-main/shared/records.ts';
import { field, itemTokens, textsOf } from '../measures/results.ts';

/** Names of `count` tokens of an item of a list (-1: the average); `named` false where the run stored only numbers for them. */
export function tokenNames(results: Json, set: string, point: number, count: number): { names: string[]; named: boolean } {
  const texts = point < 0 ? textsOf(accumulated(results)) : itemTokens(results, set, point);
  const named = texts.length >= count;
  return {
    names: Array.from({ length: count }, (_, token) => (named ? texts[token]! : String(token))),
    named,
  };
}

/** How many tokens the accumulation prompt has; undefined where the run did not say. */
export function accumulationTokens(results: Json): number | undefined {
  const tokens = accumulated(results);
  return Array.isArray(tokens) ? tokens.length : undefined;
}

const accumulated = (results: Json): Json => field(field(results, 'accumulation'), 'tokens');

/** The text that averages are over the tokens of, with its answer; null where the run did not say. */
export function accumulationPrompt(results: Json): { prompt: string; answer: string } | null {
  const stored = field(results, 'accumulation');
  const [prompt, answer] = [field(stored, 'prompt'), field(stored, 'answer')];
  return typeof prompt === 'string' && typeof answer === 'string' ? { prompt, answer } : null;
}
