/**
 * The names of columns: the tokens of the accumulation prompt or of an item as a run stored them, else their numbers, counted from 0 as in specs, addresses and files.
 * It reads results and makes no tokens of its own.
 */
import type { Json } from '../../src-main/shared/records.ts';

/** Names of `count` tokens of an item (-1: the average); `named` false where the run stored only numbers for them. */
export function tokenNames(results: Json, point: number, count: number): { names: string[]; named: boolean } {
  const stored = point < 0 ? field(field(results, 'accumulation'), 'tokens') : at(field(results, 'item_tokens'), point);
  const texts = Array.isArray(stored) && stored.every((entry) => typeof entry === 'string') ? (stored as string[]) : [];
  const named = texts.length >= count;
  return {
    names: Array.from({ length: count }, (_, token) => (named ? texts[token]! : String(token))),
    named,
  };
}

/** How many tokens the accumulation prompt has; undefined where the run did not say. */
export function accumulationTokens(results: Json): number | undefined {
  const tokens = field(field(results, 'accumulation'), 'tokens');
  return Array.isArray(tokens) ? tokens.length : undefined;
}

/** The text that averages are over the tokens of, with its answer; null where the run did not say. */
export function accumulationPrompt(results: Json): { prompt: string; answer: string } | null {
  const stored = field(results, 'accumulation');
  const [prompt, answer] = [field(stored, 'prompt'), field(stored, 'answer')];
  return typeof prompt === 'string' && typeof answer === 'string' ? { prompt, answer } : null;
}

/** A member of an object that came as JSON; null where there is none. */
export function field(json: Json | undefined, name: string): Json {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json[name] ?? null) : null;
}

function at(json: Json, index: number): Json {
  return Array.isArray(json) ? (json[index] ?? null) : null;
}
