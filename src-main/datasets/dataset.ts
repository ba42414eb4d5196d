/**
 * The data set of a spec, whatever it was given as: a built-in name, a JSON file or inline. Built-in sets have a twin for small-world models.
 * It checks shape and sense, not tokens; those are the chosen model's matter.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readJson } from '../engine/files/strict-json.ts';
import { canonicalJson } from '../shared/canonical-json.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Daxwug, DaxwugVariant, FactsAndImplications, Json, Pair } from '../shared/records.ts';

/** What a data set holds: facts with implications, or the nonce words of DAXWUG. */
export type DatasetKind = 'facts' | 'daxwug';

interface DataOf {
  facts: FactsAndImplications;
  daxwug: Daxwug;
}

/** A checked data set and the sha256 of its canonical JSON. */
export interface ResolvedDataset<Kind extends DatasetKind = DatasetKind> {
  /** For titles: the built-in name, the file's path, or `inline`. */
  name: string;
  data: DataOf[Kind];
  hash: string;
}

/** Makes the built-in sets for one model. */
export type BuiltinDatasets = Readonly<Record<string, { kind: DatasetKind; make: () => FactsAndImplications | Daxwug }>>;

const maximumBytes = 64 * 2 ** 20;

/** Errors: `UnknownDataset`, `BadDataset`, and those of reading a file. */
export function resolveDataset<Kind extends DatasetKind>(
  given: Json,
  kind: Kind,
  builtin: BuiltinDatasets,
): ResolvedDataset<Kind> {
  if (typeof given !== 'string') return checked('inline', kind, given);
  const known = Object.hasOwn(builtin, given) ? builtin[given] : undefined;
  if (known && known.kind !== kind) {
    const fitting = Object.keys(builtin).filter((name) => builtin[name]!.kind === kind);
    throw new HopscopeError(
      'BadDataset',
      `dataset: ${given} does not fit this experiment; of the built-in sets ${fitting.join(', ')} do.`,
    );
  }
  if (known) return checked(given, kind, known.make() as unknown as Json);
  if (!existsSync(given)) {
    throw new HopscopeError(
      'UnknownDataset',
      `dataset: ${JSON.stringify(given)} is neither a built-in set (${Object.keys(builtin).join(', ')}) nor a file.`,
    );
  }
  return checked(given, kind, readJson(given, { maximumBytes }) as Json);
}

function checked<Kind extends DatasetKind>(name: string, kind: Kind, value: Json): ResolvedDataset<Kind> {
  const reader = new Reader(name, shapes[kind]);
  const data = (kind === 'facts' ? readFacts(reader, value) : readDaxwug(reader, value)) as DataOf[Kind];
  return {
    name,
    data,
    hash: createHash('sha256')
      .update(canonicalJson(data as unknown as Json))
      .digest('hex'),
  };
}

/** Said with every refusal. */
const shapes: Record<DatasetKind, string> = {
  facts: '{"train": [[prompt, continuation], ...], "test": [...], "options": {"train": [...], "test": [...]}}',
  daxwug:
    '{"variant_1": {"left": [[prompt, continuation], ...], "right": [...], "both": [...]}, "variant_2": {...}, "options": {"left": [...], "right": [...], "both": [...]}, "test_slice": [first, end], "train_slice": [first, end]}',
};

function readFacts(reader: Reader, value: Json): FactsAndImplications {
  // `links` is the data editor's: which fact an implication follows from. Nothing is computed from it.
  const root = reader.record(value, 'it', ['train', 'test', 'options', 'links']);
  const options = reader.record(root.options, 'options', ['train', 'test']);
  return {
    train: reader.pairs(root.train, 'train'),
    test: reader.pairs(root.test, 'test'),
    options: { train: reader.texts(options.train, 'options.train'), test: reader.texts(options.test, 'options.test') },
  };
}

function readDaxwug(reader: Reader, value: Json): Daxwug {
  const root = reader.record(value, 'it', ['variant_1', 'variant_2', 'options', 'test_slice', 'train_slice']);
  const sides = ['left', 'right', 'both'] as const;
  const variant = (key: 'variant_1' | 'variant_2'): DaxwugVariant => {
    const held = reader.record(root[key], key, sides);
    const [left, right, both] = sides.map((side) => reader.pairs(held[side], `${key}.${side}`));
    if (left!.length !== both!.length)
      reader.fail(`${key} has ${left!.length} left and ${both!.length} both sentences, which must be of the same names`);
    return { left: left!, right: right!, both: both! };
  };
  const first = variant('variant_1');
  const slice = (key: 'test_slice' | 'train_slice'): [number, number] => {
    const [start, end] = Array.isArray(root[key]) ? root[key] : [];
    const whole = Number.isInteger(start) && Number.isInteger(end);
    if (!whole || (start as number) < 0 || (end as number) <= (start as number) || (end as number) > first.left.length) {
      reader.fail(`${key} is not [first, end) within the ${first.left.length} names`);
    }
    return [start as number, end as number];
  };
  const options = reader.record(root.options, 'options', sides);
  const [left, right, both] = sides.map((side) => reader.texts(options[side], `options.${side}`));
  return {
    variant_1: first,
    variant_2: variant('variant_2'),
    options: { left: left!, right: right!, both: both! },
    test_slice: slice('test_slice'),
    train_slice: slice('train_slice'),
  };
}

/** Takes untrusted JSON apart, saying where it is not what it should be. */
class Reader {
  readonly #name: string;
  readonly #shape: string;

  constructor(name: string, shape: string) {
    this.#name = name;
    this.#shape = shape;
  }

  fail(reason: string): never {
    throw new HopscopeError('BadDataset', `dataset ${this.#name}: ${reason}. It needs ${this.#shape}.`);
  }

  record(value: Json | undefined, what: string, keys: readonly string[]): { [key: string]: Json } {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.fail(`${what} is not an object`);
    const unknown = Object.keys(value).find((key) => !keys.includes(key));
    return unknown === undefined ? value : this.fail(`the key ${JSON.stringify(unknown)} of ${what} is not known`);
  }

  texts(value: Json | undefined, what: string): string[] {
    const good =
      Array.isArray(value) && value.length > 0 && value.every((text) => typeof text === 'string' && text.trim() !== '');
    return good ? (value as string[]) : this.fail(`${what} is not a list of texts that hold something`);
  }

  pairs(value: Json | undefined, what: string): Pair[] {
    if (!Array.isArray(value) || value.length === 0) return this.fail(`${what} is not a list of pairs`);
    return value.map((pair, index) => {
      const both = this.texts(pair, `${what}[${index}]`);
      return both.length === 2
        ? [both[0]!, both[1]!]
        : this.fail(`${what}[${index}] has ${both.length} texts, not a prompt and a continuation`);
    });
  }
}
