/**
 * Scores on both sides in turns and compares the numbers: our side scores all items at once, the peer a few items of every round, pair by pair,
 * until it has scored them all too. It prints nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Observer } from '../../src-main/engine/execution/observer.ts';
import { align } from '../../src-main/scores/alignment.ts';
import { counterfactualsOf } from '../../src-main/scores/counterfactuals.ts';
import { type ExtractiveScores, extractiveScores } from '../../src-main/scores/extractive-scores.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { Side } from './protocol.ts';
import { type ScoreCase, type ScoreData, scoreData, type WeightPair } from './scores-cases.ts';
import { type Spread, spread } from './statistics.ts';

/** Gradients where a score needs them, or a whole `loss.backward()` in each of the five passes: scores_peer.py. */
export type Procedure = 'lean' | 'published';

type PeerRequest =
  | {
      do: 'load';
      old: string;
      new: string;
      ids: number[][];
      answers: number[];
      candidates: number[];
      counterfactuals: number[][];
      alignments: number[][][];
    }
  /** `first`: only so many counterfactuals of each item. */
  | { do: 'score'; procedure: Procedure; items: number[]; first?: number };

interface PeerAnswer {
  seconds: number;
  pairs: number;
  points: Record<string, { scores: Record<string, number[]>; losses: [number, number] }>;
  peakBytes: number;
  versions: Record<string, string>;
}

/** Seconds for all pairs; ratios are the peer's seconds over ours in the same round: how many times faster we are. */
export interface ScoreComparison {
  id: string;
  about: string;
  items: number;
  pairs: number;
  allPairs: number;
  tokens: number;
  rounds: number;
  threads: number;
  peer: Record<Procedure, Spread>;
  ours: { compiled: Spread; compiling: Spread; allPairs: Spread };
  /** Against `ours.compiled`, `ours.compiling` and `ours.allPairs`; the peer's time for all pairs is its time per pair, as often. */
  ratios: Record<Procedure, { compiled: Spread; compiling: Spread; allPairs: Spread }>;
  /** By kind of score the largest difference of an element, and the tolerance that it is held to. */
  differences: Record<string, { largest: number; allowed: number; largestValue: number }>;
  peakBytes: { ours: number; peer: number };
  versions: Record<string, string>;
}

export type Report = (message: string) => void;

const counterfactualsPerItem = 10;
const comparedKinds = ['downstream', 'downstream_nonstrict', 'upstream', 'informative'] as const;

/** That of the golden values: 1e-5 + 1e-4 of the tensor's largest value. */
const allowedDifference = (largestValue: number) => 1e-5 + 1e-4 * largestValue;

/** Threads of the side that has just run may still spin for a moment. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

interface Ours {
  scores: ExtractiveScores;
  seconds: number;
}

/** Our side on one set of weights. */
class OurSide {
  readonly #data: ScoreData;
  readonly #pair: WeightPair;
  readonly #threads: number;
  readonly some: number[][];
  readonly all: number[][];

  constructor(data: ScoreData, pair: WeightPair, threads: number) {
    this.#data = data;
    this.#pair = pair;
    this.#threads = threads;
    this.some = counterfactualsOf({ count: counterfactualsPerItem, seed: 0 }, data.set.items.pairs);
    this.all = counterfactualsOf('all', data.set.items.pairs);
  }

  observer(): Observer {
    return new Observer(this.#pair.outline, { device: 'cpu', threads: this.#threads });
  }

  async score(observer: Observer, counterfactuals: number[][]): Promise<Ours> {
    const { set, accumulation } = this.#data;
    const { old, new: changed } = this.#pair;
    await pause();
    const started = performance.now();
    const scores = await extractiveScores({ observer, old, new: changed, set, accumulation, counterfactuals });
    return { scores, seconds: (performance.now() - started) / 1000 };
  }

  /** What the peer is told: prompts without what follows them, and which token of a counterfactual stands where an item's does. */
  peerRequest(): PeerRequest {
    const { examples, items } = this.#data.set;
    const prompts = examples.map(({ ids, questionEnd }) => ids.slice(0, questionEnd + 1));
    return {
      do: 'load',
      old: this.#pair.oldFolder,
      new: this.#pair.newFolder,
      ids: prompts,
      answers: items.answers,
      candidates: items.candidates,
      counterfactuals: this.some,
      alignments: this.some.map((others, item) =>
        others.map((other) => align(examples[item]!, examples[other]!).slice(0, prompts[item]!.length)),
      ),
    };
  }
}

/** Keeps the largest difference by kind. Errors: `BenchmarkFailed` where the sides do not compute the same. */
class Differences {
  readonly found: ScoreComparison['differences'] = {};

  check({ points }: PeerAnswer, { scores }: Ours, data: ScoreData): void {
    for (const [item, point] of Object.entries(points)) {
      const tokens = data.set.examples[Number(item)]!.questionEnd + 1;
      for (const [name, values] of Object.entries(point.scores)) {
        const kind = comparedKinds.find((prefix) => name.startsWith(`${prefix}.`))!;
        const own = scores.points[Number(item)]!.get(name);
        if (!own) throw new HopscopeError('BenchmarkFailed', `Our side has no ${name}.`, 'failure');
        const length = own.shape.at(-1)!;
        const rows = own.data.length / length;
        let [largest, largestValue] = [0, 0];
        for (let row = 0; row < rows; row++) {
          for (let token = 0; token < tokens; token++) {
            const value = values[row * tokens + token]!;
            largest = Math.max(largest, Math.abs(own.data[row * length + token]! - value));
            largestValue = Math.max(largestValue, Math.abs(value));
          }
        }
        const allowed = allowedDifference(largestValue);
        if (!(largest <= allowed) || values.length !== rows * tokens) {
          throw new HopscopeError(
            'BenchmarkFailed',
            `${name} of item ${item} differs by ${largest}, more than ${allowed} (largest value ${largestValue}); times of different computations say nothing.`,
            'failure',
          );
        }
        const before = this.found[kind];
        if (!before || largest / allowed > before.largest / before.allowed) this.found[kind] = { largest, allowed, largestValue };
      }
    }
  }
}

export interface MeasureOptions {
  threads: number;
  procedures: readonly Procedure[];
  report: Report;
  /** Instead of as many as it takes the peer to score all items. */
  rounds?: number | undefined;
}

/** Errors: `BenchmarkFailed`. */
export async function measureScores(given: ScoreCase, options: MeasureOptions): Promise<ScoreComparison> {
  const scratch = mkdtempSync(join(tmpdir(), 'hopscope-bench-'));
  const peer = new Side<PeerRequest, PeerAnswer>(
    'PyTorch',
    'python3',
    [join(import.meta.dirname, 'scores_peer.py'), String(options.threads)],
    { OMP_NUM_THREADS: String(options.threads) },
  );
  try {
    const data = await scoreData();
    const pair = await given.make(scratch);
    return await compare(given, data, pair, peer, options);
  } finally {
    await peer.end();
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function compare(
  { id, about, itemsPerRound }: ScoreCase,
  data: ScoreData,
  pair: WeightPair,
  peer: Side<PeerRequest, PeerAnswer>,
  { threads, procedures, report, rounds: givenRounds }: MeasureOptions,
): Promise<ScoreComparison> {
  const ours = new OurSide(data, pair, threads);
  const { versions } = await peer.ask(ours.peerRequest());
  const items = data.set.examples.length;
  const pairsOf = (lists: number[][]) => lists.reduce((sum, list) => sum + list.length, 0);
  const [pairs, allPairs] = [pairsOf(ours.some), pairsOf(ours.all)];
  const rounds = givenRounds ?? Math.ceil(items / itemsPerRound);
  const differences = new Differences();
  const peerSeconds: Record<Procedure, number[]> = { lean: [], published: [] };
  const ourSeconds = { compiled: [] as number[], compiling: [] as number[], allPairs: [] as number[] };
  let peakBytes = 0;

  const warm = ours.observer();
  await ours.score(warm, ours.some);
  for (const procedure of procedures) await peer.ask({ do: 'score', procedure, items: [0], first: 1 });

  for (let round = 0; round < rounds; round++) {
    report(`${id}: round ${round + 1} of ${rounds}`);
    const chosen = Array.from({ length: itemsPerRound }, (_, index) => (round * itemsPerRound + index) % items);
    const answers: PeerAnswer[] = [];
    const runPeer = async () => {
      for (const procedure of procedures) {
        await pause();
        const answer = await peer.ask({ do: 'score', procedure, items: chosen });
        peerSeconds[procedure].push((answer.seconds / answer.pairs) * pairs);
        peakBytes = answer.peakBytes;
        answers.push(answer);
      }
    };
    const runOurs = async () => {
      const fresh = ours.observer();
      const compiling = await ours.score(fresh, ours.some);
      fresh.release();
      const compiled = await ours.score(warm, ours.some);
      const withAll = await ours.score(warm, ours.all);
      ourSeconds.compiling.push(compiling.seconds);
      ourSeconds.compiled.push(compiled.seconds);
      ourSeconds.allPairs.push(withAll.seconds);
      return compiled;
    };
    let result: Ours;
    if (round % 2 === 0) {
      result = await runOurs();
      await runPeer();
    } else {
      await runPeer();
      result = await runOurs();
    }
    for (const answer of answers) differences.check(answer, result, data);
  }
  warm.release();

  const ratios = (peerTimes: readonly number[], times: readonly number[], factor = 1) =>
    spread(times.map((seconds, round) => (peerTimes[round]! * factor) / seconds));
  const ratiosOf = (procedure: Procedure) => ({
    compiled: ratios(peerSeconds[procedure], ourSeconds.compiled),
    compiling: ratios(peerSeconds[procedure], ourSeconds.compiling),
    allPairs: ratios(peerSeconds[procedure], ourSeconds.allPairs, allPairs / pairs),
  });
  const byProcedure = <T>(value: (procedure: Procedure) => T) =>
    Object.fromEntries(procedures.map((procedure) => [procedure, value(procedure)])) as Record<Procedure, T>;
  return {
    id,
    about,
    items,
    pairs,
    allPairs,
    tokens: Math.max(...data.set.examples.map(({ questionEnd }) => questionEnd + 1)),
    rounds,
    threads,
    peer: byProcedure((procedure) => spread(peerSeconds[procedure])),
    ours: {
      compiled: spread(ourSeconds.compiled),
      compiling: spread(ourSeconds.compiling),
      allPairs: spread(ourSeconds.allPairs),
    },
    ratios: byProcedure(ratiosOf),
    differences: differences.found,
    peakBytes: { ours: process.resourceUsage().maxRSS * 1024, peer: peakBytes },
    versions: { node: process.versions.node, ...versions },
  };
}
