/**
 * What a run measures, as it comes: steps, lists of items, evaluations with each item's logits and rank.
 * It judges nothing but that every number is one: a NaN is refused by name, never stored as 0.
 */
import { HopscopeError } from '../shared/errors.ts';
import type { Emission, EvaluationRow, ItemMeasurement, ItemSet, Pair, StepRow } from '../shared/records.ts';
import { insertContinuations } from './continuations.ts';
import { type Database, inTransaction, reading } from './open.ts';
import { insertScores } from './scores.ts';
import { insertWeights } from './weights.ts';

/** Stores a batch in one transaction, with the run's seconds so far and its outcome so far. Errors: `RunNotFound`, `NotFinite`, and those of `inTransaction`. */
export function storeEmissions(database: Database, run: string, emissions: readonly Emission[], seconds: number): void {
  inTransaction(database, () => {
    const id = database.prepare('UPDATE runs SET seconds = ? WHERE run = ? RETURNING id').pluck().get(seconds, run) as
      | number
      | undefined;
    if (id === undefined) throw new HopscopeError('RunNotFound', `There is no run ${JSON.stringify(run)} to store rows for.`);
    const insertStep = database.prepare(
      'INSERT INTO steps (run, seed, stage, epoch, step, loss, seconds) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    for (const emission of emissions) {
      if (emission.kind === 'step') {
        const { seed, stage, epoch, step, loss, seconds: taken } = emission.row;
        requireFinite([loss, taken], () => `step ${step} of ${stage}, seed ${seed}`);
        insertStep.run(id, seed, stage, epoch, step, loss, taken);
      } else if (emission.kind === 'evaluation') {
        insertEvaluation(database, id, emission.row);
      } else if (emission.kind === 'scores') {
        insertScores(database, id, emission.rows);
      } else if (emission.kind === 'weights') {
        insertWeights(database, id, emission.row);
      } else if (emission.kind === 'continuations') {
        insertContinuations(database, id, emission.row);
      } else if (emission.kind === 'items') {
        insertItemSet(database, id, emission.items);
      } else if (emission.kind === 'warning') {
        database.prepare(`UPDATE runs SET warnings = json_insert(warnings, '$[#]', ?) WHERE id = ?`).run(emission.message, id);
      } else if (emission.kind === 'figures') {
        database.prepare('UPDATE runs SET figures = ? WHERE id = ?').run(JSON.stringify(emission.figures), id);
      } else if (emission.kind === 'provenance') {
        database.prepare('UPDATE runs SET provenance = ? WHERE id = ?').run(JSON.stringify(emission.provenance), id);
      } else {
        database.prepare('UPDATE runs SET progress = ? WHERE id = ?').run(JSON.stringify(emission.progress), id);
      }
    }
    if (emissions.some(({ kind }) => kind === 'evaluation')) {
      // The view run_outcomes of the schema says what an outcome is
      database.prepare('UPDATE runs SET outcome = (SELECT outcome FROM run_outcomes WHERE run = @id) WHERE id = @id').run({ id });
    }
  });
}

/** In the order they came. Empty for an unknown run; as are the two below. */
export function getSteps(database: Database, run: string): StepRow[] {
  return reading(
    database,
    () =>
      database
        .prepare(
          `SELECT seed, stage, epoch, step, loss, steps.seconds FROM steps JOIN runs ON runs.id = steps.run
           WHERE runs.run = ? ORDER BY steps.id`,
        )
        .all(run) as StepRow[],
  );
}

export function getItemSets(database: Database, run: string): ItemSet[] {
  const rows = reading(
    database,
    () =>
      database
        .prepare(
          `SELECT name, pairs, options, candidates, labels, answers FROM item_sets JOIN runs ON runs.id = item_sets.run
           WHERE runs.run = ? ORDER BY item_sets.id`,
        )
        .all(run) as { name: string; pairs: string; options: string; candidates: string; labels: string; answers: string }[],
  );
  return rows.map((row) => ({
    set: row.name,
    pairs: JSON.parse(row.pairs) as Pair[],
    options: JSON.parse(row.options) as string[],
    candidates: JSON.parse(row.candidates) as number[],
    labels: JSON.parse(row.labels) as string[],
    answers: JSON.parse(row.answers) as number[],
  }));
}

/** In the order they came; each row's `items` is empty unless asked for. */
export function getEvaluations(database: Database, run: string, withItems: boolean): EvaluationRow[] {
  return reading(database, () => {
    const rows = database
      .prepare(
        `SELECT evaluations.id, seed, stage, epoch, item_set AS "set", mean_rank AS meanRank, loss
         FROM evaluations JOIN runs ON runs.id = evaluations.run WHERE runs.run = ? ORDER BY evaluations.id`,
      )
      .all(run) as (Omit<EvaluationRow, 'items'> & { id: number })[];
    const select = database.prepare('SELECT item, rank, logits FROM items WHERE evaluation = ? ORDER BY position');
    return rows.map(({ id, ...row }) => {
      const items = withItems ? (select.all(id) as { item: number; rank: number; logits: Buffer }[]) : [];
      return { ...row, items: items.map(({ item, rank, logits }) => ({ item, rank, logits: floatsOf(logits) })) };
    });
  });
}

/** The lists that one training of a run has measured, by name. */
export function listMeasured(database: Database, run: string, { seed, stage }: Pick<EvaluationRow, 'seed' | 'stage'>): string[] {
  return reading(
    database,
    () =>
      database
        .prepare(
          `SELECT DISTINCT item_set FROM evaluations JOIN runs ON runs.id = evaluations.run
           WHERE runs.run = ? AND seed = ? AND stage = ?`,
        )
        .pluck()
        .all(run, seed, stage) as string[],
  );
}

function insertEvaluation(database: Database, run: number, row: EvaluationRow): void {
  const where = () => `the evaluation of ${row.set} before epoch ${row.epoch} of ${row.stage}, seed ${row.seed}`;
  requireFinite([row.meanRank, row.loss], where);
  const evaluation = database
    .prepare('INSERT INTO evaluations (run, seed, stage, epoch, item_set, mean_rank, loss) VALUES (?, ?, ?, ?, ?, ?, ?)')
    .run(run, row.seed, row.stage, row.epoch, row.set, row.meanRank, row.loss).lastInsertRowid;
  const insert = database.prepare('INSERT INTO items (evaluation, position, item, rank, logits) VALUES (?, ?, ?, ?, ?)');
  for (const [position, { item, rank, logits }] of row.items.entries()) {
    requireFinite([rank, ...logits], () => `item ${item} in ${where()}`);
    insert.run(evaluation, position, item, rank, bytesOf(logits));
  }
}

/** A list sent again under its name takes the first one's place. */
function insertItemSet(database: Database, run: number, { set, ...lists }: ItemSet): void {
  database
    .prepare(
      `INSERT INTO item_sets (run, name, pairs, options, candidates, labels, answers) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET pairs = excluded.pairs, options = excluded.options, candidates = excluded.candidates, labels = excluded.labels, answers = excluded.answers`,
    )
    .run(
      run,
      set,
      ...[lists.pairs, lists.options, lists.candidates, lists.labels, lists.answers].map((list) => JSON.stringify(list)),
    );
}

/** JSON carries NaN and the infinities as null, so that is refused too. */
function requireFinite(values: readonly unknown[], where: () => string): void {
  if (values.every((value) => Number.isFinite(value))) return;
  throw new HopscopeError(
    'NotFinite',
    `A number is not finite in ${where()}: the training diverged; try a lower learning rate.`,
    'failure',
  );
}

function bytesOf(logits: ItemMeasurement['logits']): Buffer {
  const bytes = Buffer.alloc(4 * logits.length);
  for (const [index, logit] of logits.entries()) bytes.writeFloatLE(logit, 4 * index);
  return bytes;
}

function floatsOf(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(4 * index));
}
