/**
 * The command of the benchmark of scores: reads the options, has every case measured and prints how many times faster we are.
 * No time is ever asserted, only that both sides' scores are equal within the golden values' tolerance.
 */
import { spawnSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { errorRecord, HopscopeError } from '../../src-main/shared/errors.ts';
import { scoreCases } from './scores-cases.ts';
import { measureScores, type Procedure, type ScoreComparison } from './scores-measure.ts';
import type { Spread } from './statistics.ts';

const usage = `npm run bench:scores -- [options]
  --threads N       threads of each side (default 1)
  --rounds N        rounds (default: until the peer has scored every item)
  --quick           the small world alone, five rounds
  --full            also the large model B (half an hour; --procedure lean: ten minutes)
  --case NAME       only this one: ${scoreCases.map(({ id }) => id).join(', ')} (may be repeated)
  --procedure NAME  only this way of the peer's: lean, published (may be repeated)
  --json            print JSON
  --markdown        print Markdown`;

const procedures: readonly Procedure[] = ['lean', 'published'];

function parse(parameters: readonly string[]) {
  return parseArgs({
    args: [...parameters],
    options: {
      threads: { type: 'string', default: '1' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      case: { type: 'string', multiple: true },
      procedure: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

function checkedOptions(parameters: readonly string[]) {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(parameters);
  } catch (error) {
    throw new HopscopeError('BadArguments', `${(error as Error).message}\n${usage}`);
  }
  const count = (option: string, text: string): number => {
    if (/^[1-9]\d*$/.test(text)) return Number(text);
    throw new HopscopeError('BadArguments', `${option}: "${text}" is not a whole number of at least 1.`);
  };
  const among = <T extends string>(option: string, given: readonly string[], known: readonly T[]): T[] =>
    given.map((name) => {
      const found = known.find((other) => other === name);
      if (found !== undefined) return found;
      throw new HopscopeError('BadArguments', `${option}: there is no "${name}"; there are ${known.join(', ')}.`);
    });
  const ids = scoreCases.map(({ id }) => id);
  const named = values.case && among('--case', values.case, ids);
  const usual = scoreCases.filter(({ slow }, index) => (values.quick ? index === 0 : values.full || !slow)).map(({ id }) => id);
  return {
    help: values.help,
    threads: count('--threads', values.threads),
    rounds: values.rounds === undefined ? undefined : count('--rounds', values.rounds),
    cases: scoreCases.filter(({ id }) => (named ?? usual).includes(id)),
    procedures: values.procedure ? among('--procedure', values.procedure, procedures) : procedures,
    format: values.json ? 'json' : values.markdown ? 'markdown' : 'text',
  };
}

const times = ({ median, lower, upper }: Spread) => {
  const text = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  return `${text(median)} [${text(lower)}-${text(upper)}]`;
};
const seconds = ({ median }: Spread) => (median >= 100 ? median.toFixed(0) : median.toPrecision(3));

function table(results: readonly ScoreComparison[]): string[][] {
  const heads = [
    'model',
    'PyTorch',
    'its seconds',
    'our seconds',
    'times faster',
    'with compilation',
    'all pairs',
    'largest difference / allowed',
  ];
  const rows = results.flatMap((result) =>
    (Object.keys(result.ratios) as Procedure[]).map((procedure) => {
      const { compiled, compiling, allPairs } = result.ratios[procedure];
      const worst = Math.max(...Object.values(result.differences).map(({ largest, allowed }) => largest / allowed));
      return [
        `${result.id} (${result.about})`,
        procedure,
        seconds(result.peer[procedure]),
        `${seconds(result.ours.compiled)} (compiling ${seconds(result.ours.compiling)}, all pairs ${seconds(result.ours.allPairs)})`,
        times(compiled),
        times(compiling),
        times(allPairs),
        worst.toFixed(2),
      ];
    }),
  );
  return [heads, ...rows];
}

function explanation(results: readonly ScoreComparison[]): string {
  const [{ items, pairs, allPairs, tokens, threads, versions }] = results as [ScoreComparison];
  return [
    `All scores of ${items} items of at most ${tokens} tokens against 10 counterfactuals each (${pairs} pairs) or all others (${allPairs}), float32, ${threads} thread${threads === 1 ? '' : 's'} on each side.`,
    'Ratios are medians over rounds in which both sides run, [quartiles]; seconds are medians. We score all items in every round; PyTorch some of them, and its time is scaled to all pairs. Every score that it computed is compared with ours.',
    'With compilation: our run with no program compiled yet.',
    'lean: gradients only in the passes and of the values that need them; published: backward() in all five passes, as the published code does. All pairs: against as many times its seconds per pair.',
    `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[1]!.toFixed(1)}; ${Object.entries(
      versions,
    )
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}; ${new Date().toISOString().slice(0, 10)}.`,
  ].join('\n');
}

function markdown(results: readonly ScoreComparison[]): string {
  const [heads, ...rows] = table(results) as [string[], ...string[][]];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [explanation(results), '', line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

function terminal(results: readonly ScoreComparison[]): string {
  const rows = table(results);
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return [explanation(results), '', ...lines].join('\n');
}

/** Returns the exit status: 0, 2 for what the user can mend, 1 for other failures. */
export async function main(parameters: readonly string[]): Promise<number> {
  try {
    const { help, cases, format, ...options } = checkedOptions(parameters);
    if (help) {
      console.log(usage);
      return 0;
    }
    const { status, stderr } = spawnSync('python3', ['-c', 'import torch, transformers'], { encoding: 'utf8' });
    if (status !== 0) {
      throw new HopscopeError(
        'NoPyTorch',
        `The benchmark compares with PyTorch, which python3 does not have (${stderr?.trim().split('\n').at(-1) ?? ''}). Install it: python3 -m pip install torch==2.13.0 transformers==5.23.0`,
      );
    }
    const results: ScoreComparison[] = [];
    for (const given of cases) {
      results.push(await measureScores(given, { ...options, report: (message) => process.stderr.write(`${message}\n`) }));
    }
    console.log(
      format === 'json' ? JSON.stringify(results, null, 2) : format === 'markdown' ? markdown(results) : terminal(results),
    );
    return 0;
  } catch (error) {
    const { code, message, kind } = errorRecord(error);
    console.error(`error[${code}]: ${message}`);
    return kind === 'input' ? 2 : 1;
  }
}
