/**
 * Makes random models of one width and several depths and runs the command line on each, every command in a process of its own.
 * It prints nothing and judges nothing.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstHop } from '../../src-main/datasets/public-facts.ts';
import { requireDiskSpace } from '../../src-main/engine/files/disk-space.ts';
import { writeSafetensors } from '../../src-main/engine/files/safetensors.ts';
import { familyOf } from '../../src-main/engine/models/index.ts';
import { type KnownModelName, knownModels } from '../../src-main/engine/models/known-models.ts';
import { listParameters, trainableNames } from '../../src-main/engine/models/parameters.ts';
import { randomModelConfig } from '../../src-main/engine/models/random-model.ts';
import { bytesPerElement, elementCount, type FloatType } from '../../src-main/engine/tensor.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { Random } from '../../src-main/shared/random.ts';

export const depthCommands = ['forward', 'train', 'scores'] as const;
export type DepthCommand = (typeof depthCommands)[number];

export interface DepthRequest {
  like: KnownModelName;
  type: FloatType;
  depths: readonly number[];
  commands: readonly DepthCommand[];
  rounds: number;
  /** Given to every command, such as `--memory 4GiB --threads 2`. */
  common: readonly string[];
  /** The script of the command line. */
  entry: string;
  /** Where models and results lie until they are measured. */
  scratch: string;
  report(message: string): void;
}

/** One command at one depth: the least over the rounds of the whole process's seconds, and its highest memory. */
export interface DepthRow {
  command: DepthCommand;
  layers: number;
  seconds: number;
  peakBytes: number;
}

/** Straight line y = fixed + slope x by least squares; `fit` is R^2, the share of the variance of y that it explains. */
export interface Line {
  slope: number;
  fixed: number;
  fit: number;
}

export const shape = { batch: 8, positions: 16, steps: 2, items: 4, counterfactuals: 2 } as const;

/** Errors: `BenchmarkFailed` with what the command said, `DiskFull`, `Interrupted`. */
export async function measureDepths(request: DepthRequest): Promise<DepthRow[]> {
  const rows: DepthRow[] = [];
  for (const layers of request.depths) {
    requireDiskSpace(request.scratch, bytesAt(request, layers));
    const folder = mkdtempSync(join(request.scratch, 'hopscope-depth-'));
    try {
      rows.push(...(await measureDepth(request, layers, folder)));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return rows;
}

async function measureDepth(request: DepthRequest, layers: number, folder: string): Promise<DepthRow[]> {
  const { like, type, entry, common, rounds, report } = request;
  report(`${like}, ${layers} layers: making the model`);
  const model = join(folder, 'model');
  const make = ['make-random', '--like', like, '--layers', String(layers), '--dtype', type, '--out', model];
  await runChild(entry, make);
  const files = writeInputs(folder, knownModels[like].config.vocab_size);
  const trained = (round: number) => join(folder, `trained-${round}`);
  const given: Record<DepthCommand, (round: number) => string[]> = {
    forward: () => ['--in', files.tokens, '--out', join(folder, 'logits.safetensors')],
    train: (round) => ['--plan', files.plan, '--out', trained(round)],
    scores: () => [
      ...['--new', join(trained(0), 'weights.safetensors'), '--dataset', files.dataset],
      ...['--out', join(folder, 'scores.safetensors'), '--skip-check'],
    ],
  };
  const rows: DepthRow[] = [];
  for (const command of depthCommands) {
    const measured = request.commands.includes(command);
    // Scores need trained weights, measured or not
    if (!measured && !(command === 'train' && request.commands.includes('scores'))) continue;
    const runs: ChildRun[] = [];
    for (let round = 0; round < (measured ? rounds : 1); round++) {
      report(`${like}, ${layers} layers: ${command}`);
      runs.push(await runChild(entry, [command, '--model', model, ...given[command](round), ...common]));
      if (command === 'train' && round > 0) rmSync(trained(round), { recursive: true });
    }
    if (!measured) continue;
    const seconds = Math.min(...runs.map((run) => run.seconds));
    rows.push({ command, layers, seconds, peakBytes: Math.max(...runs.map((run) => run.peakBytes)) });
  }
  return rows;
}

/** Token ids for forward, a plan of training on such ids, and a data set for scores. */
function writeInputs(folder: string, vocabulary: number): { tokens: string; plan: string; dataset: string } {
  const { batch, positions, steps, items, counterfactuals } = shape;
  const random = new Random('depth');
  const draw = () => Array.from({ length: batch }, () => Array.from({ length: positions }, () => random.integer(vocabulary)));
  const tokens = join(folder, 'tokens.safetensors');
  const ids = { type: 'int64', shape: [batch, positions], data: BigInt64Array.from(draw().flat(), BigInt) } as const;
  writeSafetensors(tokens, new Map([['input_ids', ids]]));
  const json = (name: string, value: unknown) => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(value));
    return path;
  };
  const batches = Array.from({ length: steps }, () => {
    const rows = draw();
    return { input_ids: rows, attention_mask: rows.map((row) => row.map(() => 1)), labels: rows };
  });
  const { train, options } = firstHop();
  const [prompt, answer] = train[0]!;
  return {
    tokens,
    plan: json('plan.json', { batches, optimizer: 'adam', lr: 1e-4, trainable: 'mlp_attn' }),
    dataset: json('dataset.json', {
      pairs: train.slice(0, items),
      options: options.train,
      counterfactuals: { count: counterfactuals, seed: 0 },
      accumulation: { prompt, answer },
    }),
  };
}

/** The model's, and five times the trained matrices in float32: new weights, their change, and a training's own state. */
function bytesAt({ like, type }: DepthRequest, layers: number): number {
  const config = randomModelConfig(knownModels[like], layers, type);
  const family = familyOf(config);
  const list = listParameters(family, family.configure(config));
  const trained = trainableNames(list, 'mlp_attn');
  return list.all.reduce((sum, { name, shape }) => {
    const count = elementCount(shape);
    return sum + count * bytesPerElement[type] + (trained.has(name) ? 5 * 4 * count : 0);
  }, 0);
}

interface ChildRun {
  seconds: number;
  peakBytes: number;
}

function runChild(entry: string, parameters: readonly string[]): Promise<ChildRun> {
  const preloaded = join(import.meta.dirname, 'peak-memory.mjs');
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, ['--import', preloaded, entry, ...parameters, '--json'], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    const read = (stream: number) => {
      const pieces: Buffer[] = [];
      child.stdio[stream]!.on('data', (piece: Buffer) => pieces.push(piece));
      return () => Buffer.concat(pieces).toString();
    };
    const [errors, peak] = [read(2), read(3)];
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const seconds = (performance.now() - started) / 1000;
      if (code === 0) resolve({ seconds, peakBytes: Number(peak()) });
      else if (code === 130 || signal === 'SIGINT')
        reject(new HopscopeError('Interrupted', 'Stopped on request.', 'interrupted'));
      else {
        const end = `${parameters.join(' ')} ended with ${code ?? signal}: ${errors().trim()}`;
        reject(new HopscopeError('BenchmarkFailed', end, 'failure'));
      }
    });
  });
}

/** Least squares through at least two points with different x. */
export function straightLine(points: readonly (readonly [x: number, y: number])[]): Line {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const products = (a: (point: readonly [number, number]) => number, b: typeof a) =>
    points.reduce((sum, point) => sum + a(point) * b(point), 0);
  const dx = ([x]: readonly [number, number]) => x - meanX;
  const dy = ([, y]: readonly [number, number]) => y - meanY;
  const slope = products(dx, dy) / products(dx, dx);
  const rest = (point: readonly [number, number]) => dy(point) - slope * dx(point);
  const variance = products(dy, dy);
  return { slope, fixed: meanY - slope * meanX, fit: variance === 0 ? 1 : 1 - products(rest, rest) / variance };
}
