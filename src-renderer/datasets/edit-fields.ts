/**
 * What one record of a model-editing benchmark says, field by field: CounterFact, zsRE and their relatives (KnowEdit, MQuAKE).
 * Which fields are used, and what becomes of them, is edit-records.ts's.
 */
import { isRecord } from './import-table.ts';

/** What a field is about: the edit itself, the same asked otherwise, what follows from it, what must not change, or the old answer. */
export type EditGroup = 'fact' | 'paraphrase' | 'portability' | 'neighborhood' | 'old answer';

/** A sentence of a record; of an old answer only the answer counts. */
export interface EditPart {
  field: string;
  group: EditGroup;
  prompt: string;
  answer: string;
}

export interface EditReading {
  parts: EditPart[];
  /** Fields that no part was made of. */
  unused: string[];
  /** What is missing for a fact; null: nothing. */
  missing: string | null;
}

/** Whether a value looks like a record of an editing benchmark rather than a row of a table. */
export function isEdit(value: unknown): boolean {
  if (!isRecord(value)) return false;
  if ('requested_rewrite' in value || 'target_new' in value) return true;
  return 'subject' in value && Object.keys(value).some((key) => marks.test(key));
}
const marks = /^(alt|rephrase|paraphrase|portability|locality|loc_ans|neighborhood)/;

/** What a record says. `{}` in its prompts stands for its subject. */
export function readEdit(record: Record<string, unknown>): EditReading {
  const used = new Set<string>();
  const parts: EditPart[] = [];
  const requested = record.requested_rewrite;
  const edits = isRecord(requested) ? [requested] : Array.isArray(requested) ? requested.filter(isRecord) : [];
  const missing = edits.length > 0 ? requestedFacts(edits, parts, used) : flatFact(record, parts, used);
  const subject = firstText(edits[0]?.subject ?? record.subject) ?? '';
  const target = parts.find(({ group }) => group === 'fact')?.answer ?? '';
  const old = firstText(edits[0]?.target_true ?? record.ground_truth ?? record.target_true ?? record.answers) ?? '';
  for (const [key, value] of Object.entries(record)) {
    if (used.has(key)) continue;
    const found = partsOf(key, value, record, { target, old }).map((part) => ({ ...part, prompt: filled(part.prompt, subject) }));
    if (found.length > 0) used.add(key);
    parts.push(...found);
  }
  for (const companion of companions) if (parts.some(({ field }) => field === companion.of)) used.add(companion.field);
  const unused = Object.keys(record).filter((key) => !used.has(key));
  return { parts, unused, missing };
}

/** Fields that are the answers to another one. */
const companions = [
  { of: 'loc', field: 'loc_ans' },
  { of: 'locality_prompt', field: 'locality_ground_truth' },
  { of: 'portability_prompt', field: 'portability_ground_truth' },
  { of: 'questions', field: 'new_answer' },
];

function requestedFacts(edits: Record<string, unknown>[], parts: EditPart[], used: Set<string>): string | null {
  used.add('requested_rewrite').add('subject');
  for (const edit of edits) {
    const subject = firstText(edit.subject) ?? '';
    const [prompt, answer] = [firstText(edit.prompt), firstText(edit.target_new)];
    if (prompt === null) return 'requested_rewrite.prompt';
    if (answer === null) return 'requested_rewrite.target_new';
    if (prompt.includes('{}') && subject === '') return 'requested_rewrite.subject';
    parts.push({ field: 'requested_rewrite', group: 'fact', prompt: filled(prompt, subject), answer });
    const old = firstText(edit.target_true);
    if (old !== null) parts.push({ field: 'requested_rewrite.target_true', group: 'old answer', prompt: '', answer: old });
  }
  return null;
}

/** The prompt is `prompt`, `src` or `question`; the new answer `target_new`, `alt` or the first of `answers`, in that order. */
function flatFact(record: Record<string, unknown>, parts: EditPart[], used: Set<string>): string | null {
  const promptKey = ['prompt', 'src', 'question'].find((key) => firstText(record[key]) !== null);
  const answerKey = ['target_new', 'alt', 'answers', 'answer'].find((key) => firstText(record[key]) !== null);
  if (promptKey === undefined) return 'prompt';
  if (answerKey === undefined) return 'target_new';
  const [prompt, answer, subject] = [record[promptKey], record[answerKey], record.subject].map(firstText);
  if (prompt!.includes('{}') && !subject) return 'subject';
  used.add(promptKey).add(answerKey).add('subject');
  parts.push({ field: `${promptKey}, ${answerKey}`, group: 'fact', prompt: filled(prompt!, subject ?? ''), answer: answer! });
  return null;
}

function partsOf(
  key: string,
  value: unknown,
  record: Record<string, unknown>,
  { target, old }: { target: string; old: string },
): EditPart[] {
  const asked = (group: EditGroup, answer: string) => questions(value, key, group, answer);
  if (/^(paraphrase|rephrase)/.test(key)) return asked('paraphrase', target);
  if (/^neighborhood/.test(key)) return asked('neighborhood', old);
  if (key === 'loc') return asked('neighborhood', firstText(record.loc_ans) ?? '');
  if (/^locality/.test(key) && key !== 'locality_ground_truth')
    return asked('neighborhood', firstText(record.locality_ground_truth) ?? '');
  if (/^portability/.test(key) && key !== 'portability_ground_truth')
    return asked('portability', firstText(record.portability_ground_truth) ?? '');
  if (key === 'questions') return asked('portability', firstText(record.new_answer) ?? '');
  if (/^(ground_truth|target_true|answers)$/.test(key) && old !== '')
    return [{ field: key, group: 'old answer', prompt: '', answer: old }];
  return [];
}

/** Every question in a field: a text, a list, an object with question and answer, or such objects under names of their own. */
function questions(value: unknown, field: string, group: EditGroup, answer: string): EditPart[] {
  if (typeof value === 'string') return value.trim() === '' || answer === '' ? [] : [{ field, group, prompt: value, answer }];
  if (Array.isArray(value)) return value.flatMap((entry) => questions(entry, field, group, answer));
  if (!isRecord(value)) return [];
  const prompt = firstIn(value, ['prompt', 'question', 'New Question', 'cloze']);
  const own = firstIn(value, ['ground_truth', 'New Answer', 'answer', 'target', 'target_new', 'target_true']);
  if (prompt !== null) return own === null && answer === '' ? [] : [{ field, group, prompt, answer: own ?? answer }];
  return Object.entries(value).flatMap(([key, entry]) =>
    typeof entry === 'string' ? [] : questions(entry, `${field}.${key}`, group, answer),
  );
}

function firstIn(value: Record<string, unknown>, keys: readonly string[]): string | null {
  const key = keys.find((candidate) => firstText(value[candidate]) !== null);
  return key === undefined ? null : firstText(value[key]);
}

/** A text, the first one of a list however deep, or that of `{str}`. */
function firstText(value: unknown): string | null {
  if (typeof value === 'string') return value.trim() === '' ? null : value.trim();
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(firstText).find((text) => text !== null) ?? null;
  return isRecord(value) && 'str' in value ? firstText(value.str) : null;
}

function filled(prompt: string, subject: string): string {
  return prompt.replaceAll('{}', () => subject).trim();
}
