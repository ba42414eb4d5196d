/**
 * Settings of several parts as a form holds them: one line of JSON that fields read apart and write again.
 * Whether a value suits its setting is drafts.ts's to say: what is typed half stays as it was typed.
 */
import { isRecord } from '../../src-main/shared/parameter-values.ts';
import type { Json } from '../../src-main/shared/records.ts';

/** Undefined where the draft is no JSON. */
export function parseDraft(draft: string): Json | undefined {
  try {
    return JSON.parse(draft) as Json;
  } catch {
    return undefined;
  }
}

/** The object that a draft is; null: it is something else. */
export function recordOf(draft: string): { [key: string]: Json } | null {
  return asRecord(parseDraft(draft));
}

/** The value where it has keys; null: it is something else. */
export function asRecord(value: Json | undefined): { [key: string]: Json } | null {
  return value !== undefined && isRecord(value) ? value : null;
}

/** A number where the text is one, else the text. */
export function asNumber(text: string): number | string {
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** The paths that a draft lists, none for an empty one; null: it is something else. */
export function pathsOf(draft: string): string[] | null {
  if (draft.trim() === '') return [];
  const value = parseDraft(draft);
  return Array.isArray(value) && value.every((path) => typeof path === 'string') ? (value as string[]) : null;
}
