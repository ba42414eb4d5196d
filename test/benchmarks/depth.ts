/**
 * The command of the benchmark of depth: reads the options, has every depth measured and prints times, a straight line through them and peak memory.
 * Nothing is asserted; whether time grows by the layer and memory not at all is for the reader to see.
 */
import { existsSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type KnownModelName, knownModels } from '../../src-main/engine/models/known-models.ts';
import type { FloatType } from '../../src-main/engine/tensor.ts';
import { errorRecord, HopscopeError } from '../../src-main/shared/errors.ts';
import {
  type DepthCommand,
  type DepthRow,
  depthCommands,
  type Line,
  measureDepths,
  shape,
  straightLine,
} from './depth-measure.ts';

const names = Object.keys(knownModels) as KnownModelName[];
const types: readonly FloatType[] = ['bfloat16', 'float16', 'float32'];

const usage = `npm run bench:depth -- [options]
  --like MODEL      whose dimensions (default qwen2-7b): ${names.join(', ')}
  --dtype TYPE      of the weights in the file (default bfloat16)
  --depths A,B,...  numbers of layers, at least three (default 1,2,4,6)
  --command NAME    only this one: ${depthCommands.join(', ')} (may be repeated)
  --memory SIZE     given to every command, such as 4GiB
  --threads N       given to every command
  --rounds N        runs of every command, the quickest counts (default 1)
  --scratch FOLDER  where models and results lie meanwhile (default the system's folder for temporary files)
  --source          run the sources, not the build in out
  --json            print JSON
  --markdown        print Markdown`;

function parse(parameters: readonly string[]) {
  return parseArgs({
    args: [...parameters],
    options: {
      like: { type: 'string', default: 'qwen2-7b' },
      dtype: { type: 'string', default: 'bfloat16' },
      depths: { type: 'string', default: '1,2,4,6' },
      command: { type: 'string', multiple: true },
      memory: { type: 'string' },
      threads: { type: 'string' },
      rounds: { type: 'string', default: '1' },
      scratch: { type: 'string', default: tmpdir() },
      source: { type: 'boolean', default: false },
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
  const among = <T extends string>(option: string, name: string, known: readonly T[]): T => {
    const found = known.find((other) => other === name);
    if (found !== undefined) return found;
    throw new HopscopeError('BadArguments', `${option}: there is no "${name}"; there are ${known.join(', ')}.`);
  };
  const depths = [...new Set(values.depths.split(',').map((text) => count('--depths', text.trim())))];
  if (depths.length < 3) {
    throw new HopscopeError(
      'BadArguments',
      '--depths: any two points lie on a straight line; give at least three different depths.',
    );
  }
  const project = join(import.meta.dirname, '..', '..');
  const entry = values.source ? join(project, 'src-main', 'cli.ts') : join(project, 'out', 'main', 'cli.cjs');
  if (!existsSync(entry)) throw new HopscopeError('NotBuilt', `There is no ${entry}: npm run build, or give --source.`);
  const { memory, threads } = values;
  return {
    help: values.help,
    like: among('--like', values.like, names),
    type: among('--dtype', values.dtype, types),
    depths: depths.sort((a, b) => a - b),
    commands: values.command?.map((name) => among('--command', name, depthCommands)) ?? depthCommands,
    rounds: count('--rounds', values.rounds),
    common: [
      ...(memory === undefined ? [] : ['--memory', memory]),
      ...(threads === undefined ? [] : ['--threads', String(count('--threads', threads))]),
    ],
    entry,
    scratch: resolve(values.scratch),
    format: values.json ? 'json' : values.markdown ? 'markdown' : 'text',
  };
}

type Options = ReturnType<typeof checkedOptions>;

interface CommandReport {
  command: DepthCommand;
  rows: DepthRow[];
  /** Seconds against layers. */
  time: Line;
  /** Bytes against layers. */
  memory: Line;
}

function reportsOf(rows: readonly DepthRow[], { commands }: Options): CommandReport[] {
  return commands.map((command) => {
    const own = rows.filter((row) => row.command === command);
    return {
      command,
      rows: own,
      time: straightLine(own.map(({ layers, seconds }) => [layers, seconds])),
      memory: straightLine(own.map(({ layers, peakBytes }) => [layers, peakBytes])),
    };
  });
}

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(2);
const digits = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

function table(reports: readonly CommandReport[], { depths }: Options): string[][] {
  const heads = [
    'command',
    ...depths.map((layers) => `${layers} layer${layers === 1 ? '' : 's'}: s`),
    's per layer',
    's besides',
    'R^2',
    ...depths.map((layers) => `${layers}: peak GB`),
    'GB per layer',
    'most / least',
  ];
  const rows = reports.map(({ command, rows, time, memory }) => {
    const peaks = rows.map(({ peakBytes }) => peakBytes);
    return [
      command,
      ...rows.map(({ seconds }) => digits(seconds)),
      digits(time.slope),
      digits(time.fixed),
      time.fit.toFixed(4),
      ...peaks.map(gigabytes),
      gigabytes(memory.slope),
      (Math.max(...peaks) / Math.min(...peaks)).toFixed(2),
    ];
  });
  return [heads, ...rows];
}

function explanation({ like, type, commands, common, rounds }: Options): string {
  const { batch, positions, steps, items, counterfactuals } = shape;
  const work: Record<DepthCommand, string> = {
    forward: `forward: ${batch} x ${positions} tokens.`,
    train: `train: ${steps} Adam steps of ${batch} x ${positions} tokens on the MLP and attention matrices of all layers.`,
    scores: `scores: ${items} items against ${counterfactuals} counterfactuals each, for the trained weights.`,
  };
  return [
    `Random models with the width of ${like} (${knownModels[like].hub}) in ${type}${common.length > 0 ? `, ${common.join(' ')}` : ''}: whole processes, from start to files written${rounds > 1 ? `, the quickest of ${rounds}` : ''}.`,
    commands.map((command) => work[command]).join(' '),
    'Seconds = s per layer x layers + s besides, by least squares. Peak GB: highest resident memory of the process.',
    `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[1]!.toFixed(1)}; node ${process.versions.node}; ${new Date().toISOString().slice(0, 10)}.`,
  ].join('\n');
}

function markdown([heads, ...rows]: string[][], about: string): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [about, '', line(heads!), line(heads!.map(() => '---')), ...rows.map(line)].join('\n');
}

function terminal(rows: string[][], about: string): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return [about, '', ...lines].join('\n');
}

/** Returns the exit status: 0, 2 for what the user can mend, 130 after Ctrl-C, 1 for other failures. */
export async function main(parameters: readonly string[]): Promise<number> {
  try {
    const options = checkedOptions(parameters);
    if (options.help) {
      console.log(usage);
      return 0;
    }
    // Ctrl-C ends the running command, and its failure this one, after the gigabytes in the scratch folder are removed
    process.on('SIGINT', () => undefined);
    const rows = await measureDepths({ ...options, report: (message) => process.stderr.write(`${message}\n`) });
    const reports = reportsOf(rows, options);
    const about = explanation(options);
    if (options.format === 'json') console.log(JSON.stringify({ about, reports }, null, 2));
    else console.log((options.format === 'markdown' ? markdown : terminal)(table(reports, options), about));
    return 0;
  } catch (error) {
    const { code, message, kind } = errorRecord(error);
    console.error(`error[${code}]: ${message}`);
    return { input: 2, failure: 1, interrupted: 130 }[kind];
  }
}
