/**
 * The benchmark's command: reads the options, makes sure of PyTorch, has everything measured and prints the result.
 * Progress goes to stderr, results to stdout; no time is ever asserted, only that both sides compute the same losses.
 */
import { spawnSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { errorRecord, HopscopeError } from '../../src-main/shared/errors.ts';
import { measureAdam, measureModel, sideVersions } from './measure.ts';
import { type BenchmarkResult, markdownText, terminalText } from './report.ts';
import { benchmarkModels } from './workloads.ts';

const usage = `npm run bench -- [options]
  --threads LIST   numbers of threads, by commas (default 1,2)
  --rounds N       rounds per measurement (default: by model)
  --quick          leave out the large model B
  --model NAME     only this model: small world, A or B (may be repeated)
  --json           print JSON
  --markdown       print Markdown`;

interface Options {
  threads: number[];
  rounds: number | null;
  quick: boolean;
  models: string[] | null;
  format: 'text' | 'json' | 'markdown';
}

function readOptions(parameters: readonly string[]): Options | null {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(parameters);
  } catch (error) {
    throw new HopscopeError('BadArguments', `${(error as Error).message}\n${usage}`);
  }
  if (values.help) return null;
  const known = benchmarkModels().map(({ id }) => id);
  const unknown = values.model?.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new HopscopeError('BadArguments', `--model: there is no "${unknown}"; there are ${known.join(', ')}.`);
  return {
    threads: values.threads.split(',').map((text) => wholeNumber('--threads', text)),
    rounds: values.rounds === undefined ? null : wholeNumber('--rounds', values.rounds),
    quick: values.quick,
    models: values.model ?? null,
    format: values.json ? 'json' : values.markdown ? 'markdown' : 'text',
  };
}

function parse(parameters: readonly string[]) {
  return parseArgs({
    args: [...parameters],
    options: {
      threads: { type: 'string', default: '1,2' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      model: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new HopscopeError('BadArguments', `${option}: "${text}" is not a whole number of at least 1.`);
}

/** Errors: `NoPyTorch`. */
function requirePyTorch(): void {
  const { status, stderr, error } = spawnSync('python3', ['-c', 'import torch, transformers'], { encoding: 'utf8' });
  if (status === 0) return;
  const reason = error ? error.message : (stderr.trim().split('\n').at(-1) ?? '');
  throw new HopscopeError(
    'NoPyTorch',
    `The benchmark compares with PyTorch, which python3 does not have (${reason}). Install it: python3 -m pip install torch==2.13.0 transformers==5.23.0`,
  );
}

async function measureAll({ threads, rounds, quick, models }: Options): Promise<BenchmarkResult> {
  const report = (message: string) => process.stderr.write(`${message}\n`);
  const chosen = benchmarkModels().filter(({ id, slow }) => (models ? models.includes(id) : !(quick && slow)));
  const result: BenchmarkResult = {
    date: new Date().toISOString(),
    machine: {
      processor: cpus()[0]?.model.trim() ?? 'unknown processor',
      cores: cpus().length,
      memoryBytes: totalmem(),
      system: `${process.platform} ${process.arch}`,
      loadAverage: loadavg()[0]!,
    },
    versions: await sideVersions(),
    models: [],
    adam: [],
  };
  for (const model of chosen) result.models.push(...(await measureModel(model, threads, rounds ?? model.rounds, report)));
  for (const count of threads) result.adam.push(await measureAdam(count, rounds ?? 9, report));
  return result;
}

/** Returns the exit status: 0, 2 for what the user can mend, 1 for other failures. */
export async function main(parameters: readonly string[]): Promise<number> {
  try {
    const options = readOptions(parameters);
    if (!options) {
      console.log(usage);
      return 0;
    }
    requirePyTorch();
    const result = await measureAll(options);
    const text = { text: terminalText, markdown: markdownText, json: (value: BenchmarkResult) => JSON.stringify(value, null, 2) };
    console.log(text[options.format](result));
    return 0;
  } catch (error) {
    const { code, message, kind } = errorRecord(error);
    console.error(`error[${code}]: ${message}`);
    return kind === 'input' ? 2 : 1;
  }
}
