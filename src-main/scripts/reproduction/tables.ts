/**
 * Judges what the small world shows against the directions of the paper, and writes the tables of `npm run reproduce`.
 * What is run and compared say rank-parts.ts and score-parts.ts.
 */
import type { Estimate } from '../../shared/figures.ts';
import type { Comparison, Part, Quantity } from './part.ts';

/** `agrees` and `does not`: the intervals lie apart; `unclear`: they overlap; `not run`: a quantity is missing. */
export type Verdict = 'agrees' | 'does not' | 'unclear' | 'not run';

export interface JudgedComparison extends Pick<Comparison, 'claim' | 'source'> {
  smaller: Quantity | undefined;
  larger: Quantity | undefined;
  verdict: Verdict;
}

export interface JudgedPart {
  title: string;
  quantities: Quantity[];
  comparisons: JudgedComparison[];
}

const zero: Quantity = { name: '0', value: { mean: 0, low: 0, high: 0, values: [0] }, published: null, chance: null };

/**
 * Whether the smaller one is smaller, by the 95 % intervals over seeds, or by the ranges of fewer than five.
 */
export function verdict(smaller: Estimate, larger: Estimate): Verdict {
  const bounds = [smaller.low, smaller.high, larger.low, larger.high];
  if (!bounds.every(Number.isFinite)) return 'unclear';
  if (smaller.high < larger.low) return 'agrees';
  return larger.high < smaller.low ? 'does not' : 'unclear';
}

/** Quantities and judged comparisons of the parts that ran; a quantity that a part does not have is looked for in the others. */
export function judge(outcomes: readonly { part: Part; results: unknown }[]): JudgedPart[] {
  const read = outcomes.map(({ part, results }) => ({ part, quantities: part.quantities(results) }));
  const all = read.flatMap(({ quantities }) => quantities);
  return read.map(({ part: { title, comparisons }, quantities }) => {
    const find = (wanted: string) => (wanted === '0' ? zero : [...quantities, ...all].find(({ name }) => name === wanted));
    return {
      title,
      quantities,
      comparisons: comparisons.map(({ claim, source, ...names }) => {
        const [smaller, larger] = [find(names.smaller), find(names.larger)];
        return { claim, source, smaller, larger, verdict: smaller && larger ? verdict(smaller.value, larger.value) : 'not run' };
      }),
    };
  });
}

/** The comparisons as a Markdown table. */
export function directionTable(judged: readonly JudgedPart[]): string {
  return markdownTable(
    ['experiment', 'what should be smaller < larger', 'small world', 'OLMo-7B', 'direction'],
    judged.flatMap(({ title, comparisons }) =>
      comparisons.map(({ claim, source, smaller, larger, verdict }) => [
        title,
        `${claim}: *${smaller?.name ?? '?'}* < *${larger?.name ?? '?'}*`,
        smaller && larger ? `${written(smaller)} vs ${written(larger)}` : '',
        published(source, smaller, larger),
        verdict === 'agrees' ? '**agrees**' : verdict,
      ]),
    ),
  );
}

/** All quantities as a Markdown table. */
export function valueTable(judged: readonly JudgedPart[]): string {
  return markdownTable(
    ['experiment', 'quantity', 'small world', 'chance', 'OLMo-7B'],
    judged.flatMap(({ title, quantities }) =>
      quantities.map((entry) => [title, entry.name, written(entry), digits(entry.chance), digits(entry.published)]),
    ),
  );
}

/** The paper's two numbers, or why there are none. */
function published(source: Comparison['source'], smaller: Quantity | undefined, larger: Quantity | undefined): string {
  if (source === 'ours') return 'not in the paper';
  if (source === 'hypothesis') return 'stated, no number';
  return `${digits(smaller?.published ?? null)} vs ${digits(larger?.published ?? null)}`;
}

/** `0.31 [0.27, 0.36]`, without the interval where it has no width. */
function written({ value: { mean, low, high } }: Quantity): string {
  return low === high ? digits(mean) : `${digits(mean)} [${digits(low)}, ${digits(high)}]`;
}

function digits(value: number | null): string {
  if (value === null) return '';
  return Number.isFinite(value) ? value.toFixed(2) : 'undefined';
}

function markdownTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n');
}
