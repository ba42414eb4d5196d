/**
 * The command of the benchmark of screens: fills a data folder (or takes a filled one), serves it from out/, does the heavy cases in Chromium and prints
 * how long each took and how smooth it was. Nothing is asserted: times are this machine's, for the reader to compare.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { commandLine, openInBrowser } from '../e2e/app.ts';
import { fillHeavyProject } from '../scripts/heavy-project.ts';
import { cases, type Place } from './screens-cases.ts';
import { installProbe, medianOf, observe, type Smoothness } from './screens-probe.ts';

/** Milliseconds after which a case has failed, on the busiest machine too. */
const longestWait = 120_000;

const usage = `HOPSCOPE_CHROMIUM=FILE npm run bench:screens -- [options]
  --data DIR    a folder that test/scripts/heavy-project.ts has filled (default: one is made and removed)
  --runs N      runs of the project that is made (default 1000)
  --rounds N    how often everything is done, each time on a fresh page; medians are printed (default 3)
  --json        print JSON`;

interface Options {
  data: string | undefined;
  runs: number;
  rounds: number;
  json: boolean;
}

/** Null where the usage is to be shown. */
function read(parameters: readonly string[]): Options | null {
  try {
    const { values } = parseArgs({
      args: [...parameters],
      options: {
        data: { type: 'string' },
        runs: { type: 'string', default: '1000' },
        rounds: { type: 'string', default: '3' },
        json: { type: 'boolean', default: false },
      },
    });
    const [runs, rounds] = [Number(values.runs), Number(values.rounds)];
    return Number.isInteger(runs) && runs >= 60 && Number.isInteger(rounds) && rounds > 0
      ? { data: values.data, runs, rounds, json: values.json }
      : null;
  } catch {
    return null;
  }
}

interface Row extends Smoothness {
  case: string;
}

/** Returns the exit code. */
export async function main(parameters: readonly string[]): Promise<number> {
  const options = read(parameters);
  if (options === null) {
    console.error(usage);
    return 2;
  }
  const made = options.data === undefined ? mkdtempSync(join(tmpdir(), 'hopscope-screens-')) : null;
  try {
    const folder = made ?? resolve(options.data!);
    if (made !== null) await fillHeavyProject(folder, options.runs);
    const rounds: Row[][] = [];
    for (let round = 0; round < options.rounds; round++) rounds.push(await measure(folder));
    const rows = rounds[0]!.map(({ case: name }, place) => ({ case: name, ...medianOf(rounds.map((round) => round[place]!)) }));
    const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}`;
    console.log(options.json ? JSON.stringify({ machine, rounds: options.rounds, rows }, null, 2) : textOf(rows, machine));
    return 0;
  } finally {
    if (made !== null) rmSync(made, { recursive: true, force: true });
  }
}

async function measure(dataFolder: string): Promise<Row[]> {
  const { runs, total } = (await commandLine(['runs'], dataFolder)) as {
    runs: { run: string; experiment: string; model: string }[];
    total: number;
  };
  const scored = runs.find(({ experiment, model }) => experiment === 'extractive-scores' && model.startsWith('random-'))!.run;
  const compared = runs.filter(({ experiment }) => experiment === 'ocr').slice(0, 20);
  const workbench = await openInBrowser({ dataFolder });
  const { page } = workbench;
  page.setDefaultTimeout(longestWait);
  const place: Place = { page, runs: total, scored, compared: compared.map(({ run }) => run) };
  try {
    await page.getByRole('heading', { level: 1 }).waitFor();
    await installProbe(page);
    const rows: Row[] = [];
    for (const { name, before, act } of cases) {
      process.stderr.write(`${name}\n`);
      await before?.(place);
      rows.push({ case: name, ...(await observe(page, () => act(place))) });
    }
    return rows;
  } finally {
    await workbench.close();
  }
}

function textOf(rows: readonly Row[], machine: string): string {
  const heads = ['case', 'content ms', 'longest frame ms', 'frames > 50 ms', 'long tasks', 'longest task ms'];
  const lines = rows.map((row) =>
    [row.content, row.longestFrame, row.lateFrames, row.longTasks, row.longestTask].map((value) => value.toFixed(0)),
  );
  const all = [heads, ...rows.map((row, index) => [row.case, ...lines[index]!])];
  const widths = heads.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  const text = all.map((line) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  '),
  );
  return [machine, ...text].join('\n');
}
