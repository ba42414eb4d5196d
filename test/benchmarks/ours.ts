/**
 * Our side: a child process that answers the requests of protocol.ts with the engine as the experiments use it.
 * It prints nothing but answers; what to run and in which order is decided by benchmark.ts.
 */
import { createInterface } from 'node:readline';
import { Executor, type TokenBatch } from '../../src-main/engine/execution/executor.ts';
import type { Targets } from '../../src-main/engine/execution/gradient-sink.ts';
import { openCheckpoint } from '../../src-main/engine/files/checkpoint.ts';
import { createKernels, type Kernels } from '../../src-main/engine/kernels/kernels.ts';
import { createPlainKernels } from '../../src-main/engine/kernels/plain.ts';
import { familyOf } from '../../src-main/engine/models/index.ts';
import { listParameters } from '../../src-main/engine/models/parameters.ts';
import { writesInPlace } from '../../src-main/engine/runtime/session.ts';
import { elementCount, type FloatTensor, floatTensor } from '../../src-main/engine/tensor.ts';
import { labelTargets } from '../../src-main/engine/training/batch.ts';
import { defaultTraining, Trainer } from '../../src-main/engine/training/trainer.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import type { Answer, Request } from './protocol.ts';
import { writeRandomModel } from './random-model.ts';
import type { Batch } from './workloads.ts';

const threads = Number(process.argv[2]);

interface Loaded {
  executor: Executor;
  trainer: Trainer;
  batches: Map<string, { tokens: TokenBatch; targets: Targets }>;
}

async function load(folder: string, batches: Record<string, Batch>): Promise<Loaded> {
  const checkpoint = openCheckpoint(folder);
  const family = familyOf(checkpoint.config);
  const configuration = family.configure(checkpoint.config);
  const parameters = listParameters(family, configuration);
  const weights = new Map<string, FloatTensor>(
    parameters.all.map(({ name, shape }) => {
      const tensor = floatTensor(shape, new Float32Array(elementCount(shape)));
      checkpoint.readFloat32Into(name, tensor.data);
      return [name, tensor];
    }),
  );
  checkpoint.close();
  const executor = new Executor({ family, configuration, parameters }, { device: 'cpu', threads });
  return {
    executor,
    trainer: await Trainer.create(executor, weights, defaultTraining),
    batches: new Map(Object.entries(batches).map(([name, batch]) => [name, asInputs(batch)])),
  };
}

function asInputs({ ids, labels }: Batch): { tokens: TokenBatch; targets: Targets } {
  const positions = ids[0]!.length;
  return {
    tokens: { tokens: Int32Array.from(ids.flat()), batch: ids.length, positions },
    targets: labelTargets(labels, positions),
  };
}

/** The mean loss of the counted rows, from logits of these rows alone. */
async function forward({ executor, trainer }: Loaded, tokens: TokenBatch, { rows, targets }: Targets): Promise<number> {
  const { data, shape } = await executor.logits(trainer.weights, tokens, rows);
  const width = shape[1]!;
  let total = 0;
  targets.forEach((target, row) => {
    const logits = data.subarray(row * width, (row + 1) * width);
    let maximum = Number.NEGATIVE_INFINITY;
    for (const logit of logits) if (logit > maximum) maximum = logit;
    let sum = 0;
    for (const logit of logits) sum += Math.exp(logit - maximum);
    total += maximum + Math.log(sum) - logits[target]!;
  });
  return total / targets.length;
}

const memories = new Map<string, { kernels: Kernels; addresses: number[] }>();

/** Weight, moments and gradient of `elements` numbers in one memory; kept, as both forms take turns. */
function adamMemory(form: string, elements: number): { kernels: Kernels; addresses: number[] } {
  const key = `${form} ${elements}`;
  let found = memories.get(key);
  if (!found) {
    const bytes = elements * 4;
    const memory = new WebAssembly.Memory({ initial: Math.ceil((bytes * 4) / 65536) });
    new Float32Array(memory.buffer, 0, elements).fill(0.1);
    new Float32Array(memory.buffer, bytes * 3, elements).fill(0.01);
    found = {
      kernels: form === 'simd' ? createKernels(memory) : createPlainKernels(memory),
      addresses: [0, bytes, bytes * 2, bytes * 3],
    };
    memories.set(key, found);
  }
  return found;
}

function adam(form: string, elements: number, count: number): void {
  const { kernels, addresses } = adamMemory(form, elements);
  const [weight, m, v, gradient] = addresses as [number, number, number, number];
  for (let run = 0; run < count; run++) {
    kernels.adam(weight, m, v, gradient, elements, {
      learningRate: 1e-3,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      correction1: 0.1,
      correction2: 0.001,
      decay: 0,
      gradientScale: 1,
    });
  }
}

let loaded: Loaded | null = null;

/** The losses of the runs asked for, and the time they took together. */
async function answer(request: Request): Promise<Pick<Answer, 'seconds' | 'losses'>> {
  if (request.do === 'make') {
    writeRandomModel(request.folder, request.config);
    return { seconds: 0, losses: [] };
  }
  if (request.do === 'load') {
    loaded = await load(request.folder, request.batches);
    return { seconds: 0, losses: [] };
  }
  if (request.do === 'adam') {
    // Made before the clock starts
    adamMemory(request.form, request.elements);
    const started = performance.now();
    adam(request.form, request.elements, request.count);
    return { seconds: (performance.now() - started) / 1000, losses: [] };
  }
  const inputs = loaded?.batches.get(request.batch);
  if (!loaded || !inputs) throw new HopscopeError('BenchmarkFailed', `There is no batch "${request.batch}".`, 'failure');
  const losses: number[] = [];
  const started = performance.now();
  for (let run = 0; run < request.count; run++) {
    const { tokens, targets } = inputs;
    losses.push(request.do === 'step' ? await loaded.trainer.step(tokens, targets) : await forward(loaded, tokens, targets));
  }
  return { seconds: (performance.now() - started) / 1000, losses };
}

const versions = { node: process.versions.node, 'results in place': String(await writesInPlace()) };

for await (const line of createInterface({ input: process.stdin })) {
  const result = await answer(JSON.parse(line) as Request);
  const full: Answer = { ...result, peakBytes: process.resourceUsage().maxRSS * 1024, versions };
  process.stdout.write(`${JSON.stringify(full)}\n`);
}
