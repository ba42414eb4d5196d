/**
 * Runs both sides in turns and pairs their times: within a round each side runs once, and the next round begins with the other,
 * so that drift and other load on the machine fall on both. It prints nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { type Answer, type Request, Side } from './protocol.ts';
import { type Spread, spread } from './statistics.ts';
import type { BenchmarkModel, Phase, Workload } from './workloads.ts';

/** Seconds per run of each side, and their ratio per round (below 1: ours is faster). */
export interface Comparison {
  ratio: Spread;
  ours: Spread;
  torch: Spread;
  rounds: number;
}

export interface Row extends Comparison {
  model: string;
  workload: string;
  phase: Phase;
  threads: number;
  /** Largest difference between the two sides' losses of the same run. */
  lossDifference: number;
}

export interface ModelReport {
  rows: Row[];
  /** Highest resident memory of each process over all workloads of the model, in bytes. */
  memory: { model: string; threads: number; ours: number; torch: number };
}

/** Nanoseconds per element of one Adam step. */
export interface AdamReport {
  threads: number;
  elements: number;
  simd: Comparison;
  plain: Comparison;
}

export type Report = (message: string) => void;

/** Losses that agree to this are of the same computation; two orders of summation in float32 differ by less. */
const lossTolerance = 1e-4;
const adamElements = 8_000_000;
/** Threads of the side that has just run may still spin for a moment. */
const pauseMilliseconds = 20;

interface Sides {
  ours: Side;
  torch: Side;
}

function startSides(threads: number): Sides {
  return {
    ours: new Side('our side', process.execPath, [join(import.meta.dirname, 'ours.ts'), String(threads)], {}),
    torch: new Side('PyTorch', 'python3', [join(import.meta.dirname, 'peer.py'), String(threads)], {
      OMP_NUM_THREADS: String(threads),
    }),
  };
}

const endSides = ({ ours, torch }: Sides) => Promise.all([ours.end(), torch.end()]);

/** A temporary folder with the model, removed after `use`. */
async function withModel<T>(config: Record<string, unknown>, use: (folder: string) => Promise<T>): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), 'hopscope-bench-'));
  try {
    const folder = join(scratch, 'model');
    const maker = new Side('our side', process.execPath, [join(import.meta.dirname, 'ours.ts'), '1'], {});
    await maker.ask({ do: 'make', folder, config });
    await maker.end();
    return await use(folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function ask(side: Side, request: Request): Promise<Answer> {
  await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
  return side.ask(request);
}

/** One warm-up of both, then `rounds` rounds in the order AB BA AB ... */
async function compare(
  rounds: number,
  count: number,
  runOurs: () => Promise<Answer>,
  runTorch: () => Promise<Answer>,
  check: (ours: Answer, torch: Answer) => void,
): Promise<Comparison> {
  const times: { ours: number[]; torch: number[] } = { ours: [], torch: [] };
  for (let round = -1; round < rounds; round++) {
    let ours: Answer;
    let torch: Answer;
    if (round % 2 === 0) {
      ours = await runOurs();
      torch = await runTorch();
    } else {
      torch = await runTorch();
      ours = await runOurs();
    }
    check(ours, torch);
    if (round === -1) continue;
    times.ours.push(ours.seconds / count);
    times.torch.push(torch.seconds / count);
  }
  const ratios = times.ours.map((seconds, index) => seconds / times.torch[index]!);
  return { ratio: spread(ratios), ours: spread(times.ours), torch: spread(times.torch), rounds };
}

/** Errors: `BenchmarkFailed` where a side fails or the losses disagree. */
export async function measureModel(
  model: BenchmarkModel,
  threadCounts: readonly number[],
  rounds: number,
  report: Report,
): Promise<ModelReport[]> {
  return withModel(model.config, async (folder) => {
    const reports: ModelReport[] = [];
    for (const threads of threadCounts) {
      const sides = startSides(threads);
      try {
        reports.push(await measureThreads(model, folder, sides, threads, rounds, report));
      } finally {
        await endSides(sides);
      }
    }
    return reports;
  });
}

async function measureThreads(
  model: BenchmarkModel,
  folder: string,
  { ours, torch }: Sides,
  threads: number,
  rounds: number,
  report: Report,
): Promise<ModelReport> {
  const batches = Object.fromEntries(model.workloads.map(({ name, batch }) => [name, batch]));
  const memory = { model: model.id, threads, ours: 0, torch: 0 };
  for (const side of [ours, torch]) await side.ask({ do: 'load', folder, batches });
  const rows: Row[] = [];
  for (const workload of model.workloads) {
    for (const phase of workload.phases) {
      report(`${model.id}: ${workload.name}, ${phase}, ${threads} thread${threads === 1 ? '' : 's'}`);
      const request: Request = { do: phase, batch: workload.name, count: workload.repeat };
      let lossDifference = 0;
      const check = (ourAnswer: Answer, torchAnswer: Answer) => {
        lossDifference = Math.max(lossDifference, differenceOf(model, workload, phase, ourAnswer, torchAnswer));
        memory.ours = ourAnswer.peakBytes;
        memory.torch = torchAnswer.peakBytes;
      };
      const comparison = await compare(
        rounds,
        workload.repeat,
        () => ask(ours, request),
        () => ask(torch, request),
        check,
      );
      rows.push({ model: model.id, workload: workload.name, phase, threads, lossDifference, ...comparison });
    }
  }
  return { rows, memory };
}

/** The largest difference of the two sides' losses. Errors: `BenchmarkFailed` when they did not compute the same. */
function differenceOf(model: BenchmarkModel, workload: Workload, phase: Phase, ours: Answer, torch: Answer): number {
  const differences = ours.losses.map((loss, index) => Math.abs(loss - torch.losses[index]!));
  const worst = differences.findIndex((difference) => !(difference <= lossTolerance));
  if (worst === -1) return Math.max(...differences);
  throw new HopscopeError(
    'BenchmarkFailed',
    `${model.id}, ${workload.name}, ${phase}: our loss is ${ours.losses[worst]}, PyTorch's ${torch.losses[worst]}; times of different computations say nothing.`,
    'failure',
  );
}

/** Adam alone, on one tensor: our two kernels (always one thread) against torch's fused one. */
export async function measureAdam(threads: number, rounds: number, report: Report): Promise<AdamReport> {
  report(`Adam, ${threads} thread${threads === 1 ? '' : 's'}`);
  const sides = startSides(threads);
  const count = 2;
  const perElement = (seconds: Spread): Spread => ({
    median: (seconds.median * 1e9) / adamElements,
    lower: (seconds.lower * 1e9) / adamElements,
    upper: (seconds.upper * 1e9) / adamElements,
    least: (seconds.least * 1e9) / adamElements,
  });
  const compareForm = async (form: string, times: number) => {
    const run = (side: Side) => () => ask(side, { do: 'adam', form, elements: adamElements, count });
    const comparison = await compare(times, count, run(sides.ours), run(sides.torch), () => undefined);
    return { ...comparison, ours: perElement(comparison.ours), torch: perElement(comparison.torch) };
  };
  try {
    return {
      threads,
      elements: adamElements,
      simd: await compareForm('simd', rounds),
      plain: await compareForm('plain', Math.min(rounds, 5)),
    };
  } finally {
    await endSides(sides);
  }
}

/** The libraries of both sides. */
export async function sideVersions(): Promise<{ ours: Record<string, string>; torch: Record<string, string> }> {
  const sides = startSides(1);
  try {
    const request: Request = { do: 'adam', form: 'simd', elements: 64, count: 1 };
    return { ours: (await sides.ours.ask(request)).versions, torch: (await sides.torch.ask(request)).versions };
  } finally {
    await endSides(sides);
  }
}
