/**
 * README's table of model families: what tests declare that they cover, and the table made of how those tests ended.
 * It runs no test and reads no file; family-table-reporter.ts does both.
 */

/** What a test can prove about a golden model; the columns of the table. */
export const columns = ['tokenize', 'forward', 'gradients', 'training', 'ranks', 'scores', 'experiments', 'WebGPU'] as const;
export type Column = (typeof columns)[number];

/** `golden`: against values from PyTorch and transformers; `own`: against finite differences or another way to the same number. */
export type Evidence = 'golden' | 'own';

export interface Coverage {
  columns: readonly Column[];
  evidence: Evidence;
}

declare module 'vitest' {
  interface TaskMeta {
    covers?: Coverage;
  }
}

/**
 * Options of a test or a `describe` that proves something about golden models. Its name, or that of a `describe` around it, begins with the
 * model's folder in test/fixtures/models. A test without its device should be skipped under these options: then the table says what it said before.
 */
export function covers(column: Column | readonly Column[], evidence: Evidence = 'golden'): { meta: { covers: Coverage } } {
  return { meta: { covers: { columns: [column].flat(), evidence } } };
}

/** One test that covers something, and how it ended. */
export interface CoveringTest extends Coverage {
  model: string;
  state: 'passed' | 'failed' | 'skipped' | 'pending';
}

/** A golden model and the `model_type` of its config.json. */
export interface TableModel {
  id: string;
  family: string;
}

/** The first of a test's names (outermost first) that begins with a model's ID, as that ID. */
export function modelOf(names: readonly string[], ids: ReadonlySet<string>): string | undefined {
  return names.map((name) => /^[\w.-]*\w/.exec(name)?.[0] ?? '').find((word) => ids.has(word));
}

/** The table in Markdown, with a line that explains its cells. A cell with a skipped test is not known: it is taken from `before`, the table as it stood. */
export function familyTable(models: readonly TableModel[], tests: readonly CoveringTest[], before: string): string {
  const known = cellsOf(before);
  const rows = [...models]
    .sort((a, b) => compare(a.family, b.family) || compare(a.id, b.id))
    .map(({ id, family }) => {
      const cells = columns.map((column) => {
        const own = tests.filter((test) => test.model === id && test.columns.includes(column));
        return cell(own) ?? known.get(id)?.get(column) ?? notRun;
      });
      return [family, id, ...cells];
    });
  const lines = [['family', 'golden model', ...columns], ['---', '---', ...columns.map(() => '---')], ...rows];
  return [...lines.map((line) => `| ${line.join(' | ')} |`), '', legend].join('\n');
}

const legend =
  'A tick and a number: tests that passed, golden values among what they compare with. A dash: no values to compare with. The tests write this table.';

const notRun = 'not run';

/** Undefined where a test was skipped. */
function cell(tests: readonly CoveringTest[]): string | undefined {
  const failed = tests.filter(({ state }) => state === 'failed').length;
  if (failed > 0) return `✗ ${failed} of ${tests.length}`;
  if (tests.some(({ state }) => state !== 'passed')) return undefined;
  if (tests.length === 0) return '–';
  return tests.some(({ evidence }) => evidence === 'golden') ? `✓ ${tests.length}` : `own check ${tests.length}`;
}

/** The cells of a table by model and column. */
function cellsOf(table: string): Map<string, Map<string, string>> {
  const [head = [], , ...rows] = table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((text) => text.trim()),
    );
  return new Map(rows.map((row) => [row[1] ?? '', new Map(row.map((text, index) => [head[index] ?? '', text]))]));
}

const begin = '<!-- families:begin -->';
const end = '<!-- families:end -->';

/** The text between the markers, or undefined without them. */
export function blockOf(text: string): string | undefined {
  const [start, stop] = [text.indexOf(begin), text.indexOf(end)];
  return start === -1 || stop < start ? undefined : text.slice(start + begin.length, stop).trim();
}

/** The text with another block between the markers. */
export function withBlock(text: string, block: string): string {
  return `${text.slice(0, text.indexOf(begin) + begin.length)}\n${block}\n${text.slice(text.indexOf(end))}`;
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
