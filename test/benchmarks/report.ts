/**
 * The measurements as text: a table for the terminal or Markdown for README. It computes nothing beyond units.
 */
import type { AdamReport, Comparison, ModelReport } from './measure.ts';
import type { Spread } from './statistics.ts';

export interface BenchmarkResult {
  /** When, on what and with what it was measured. */
  date: string;
  machine: { processor: string; cores: number; memoryBytes: number; system: string; loadAverage: number };
  versions: { ours: Record<string, string>; torch: Record<string, string> };
  models: ModelReport[];
  adam: AdamReport[];
}

const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const ratio = ({ median, lower, upper }: Spread) => `${median.toFixed(2)} [${lower.toFixed(2)}-${upper.toFixed(2)}]`;
const milliseconds = ({ least }: Spread) => digits(least * 1000);
const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(2);

interface Table {
  heads: string[];
  rows: string[][];
}

function timeTable({ models }: BenchmarkResult): Table {
  return {
    heads: ['model', 'batch', 'phase', 'threads', 'ours / torch', 'ours, least ms', 'torch, least ms', 'loss differs by'],
    rows: models.flatMap(({ rows }) =>
      rows.map((row) => [
        row.model,
        row.workload,
        row.phase,
        String(row.threads),
        ratio(row.ratio),
        milliseconds(row.ours),
        milliseconds(row.torch),
        row.lossDifference.toExponential(0),
      ]),
    ),
  };
}

function memoryTable({ models }: BenchmarkResult): Table {
  return {
    heads: ['model', 'threads', 'ours, peak GB', 'torch, peak GB'],
    rows: models.map(({ memory }) => [memory.model, String(memory.threads), gigabytes(memory.ours), gigabytes(memory.torch)]),
  };
}

function adamTable({ adam }: BenchmarkResult): Table {
  const row = (name: string, threads: number, comparison: Comparison) => [
    name,
    String(threads),
    ratio(comparison.ratio),
    digits(comparison.ours.least),
    digits(comparison.torch.least),
  ];
  return {
    heads: ["kernel (1 thread) / torch's fused", "torch's threads", 'ours / torch', 'ours, least ns per element', 'torch, least'],
    rows: adam.flatMap(({ threads, simd, plain }) => [row('WASM SIMD', threads, simd), row('plain TypeScript', threads, plain)]),
  };
}

function describe({ machine, versions, date }: BenchmarkResult): string {
  const list = (record: Record<string, string>) => Object.entries(record).map(([name, value]) => `${name} ${value}`);
  return [
    `${machine.processor}, ${machine.cores} cores, ${gigabytes(machine.memoryBytes)} GB, ${machine.system}, load ${machine.loadAverage.toFixed(1)} before`,
    ...list(versions.ours),
    ...list(versions.torch),
    date.slice(0, 10),
  ].join('; ');
}

const explanation =
  'Ratios are medians of rounds in which both sides run once, [quartiles]; below 1 we are faster. A step is forward, backward and Adam on all parameters.';

function alignedTable({ heads, rows }: Table): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return [line(heads), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

function markdownTable({ heads, rows }: Table): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

export function terminalText(result: BenchmarkResult): string {
  const tables = [timeTable(result), memoryTable(result), adamTable(result)];
  return [describe(result), explanation, ...tables.map(alignedTable)].join('\n\n');
}

export function markdownText(result: BenchmarkResult): string {
  const tables = [timeTable(result), memoryTable(result), adamTable(result)];
  return [`${explanation} ${describe(result)}.`, ...tables.map(markdownTable)].join('\n\n');
}
