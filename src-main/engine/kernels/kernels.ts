/**
 * Arithmetic on state that lies in one WebAssembly memory: the interface of the kernels and its SIMD form.
 * It owns no memory and checks no ranges; runtime/memory.ts hands out the addresses, plain.ts is the same in plain TypeScript.
 */
import { kernelsBinary } from './kernels-binary.ts';

/** Constants of one Adam step, the same for every tensor of the step. */
export interface AdamStep {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** 1 - beta1^t for step t = 1, 2, ... */
  correction1: number;
  /** 1 - beta2^t. */
  correction2: number;
  /** Decoupled weight decay (AdamW); 0 is Adam. */
  decay: number;
  /** Multiplies every gradient first: the factor of norm clipping, else 1. */
  gradientScale: number;
}

/**
 * Addresses are in bytes (aligned to the element), counts in elements. The ranges a call names must lie inside the memory and
 * must not partly overlap; a kernel touches nothing else. The SIMD and the plain form give the same bits on the same input.
 */
export interface Kernels {
  /** Which form this is, for reports. */
  readonly form: 'simd' | 'plain';
  /**
   * One step of Adam or AdamW in place, in the order of torch.optim: g = gradient * gradientScale; w = w (1 - lr decay);
   * m = m + (g - m)(1 - beta1); v = beta2 v + (1 - beta2) g^2; w = w - lr / correction1 * m / (sqrt(v) / sqrt(correction2) + epsilon).
   * `weight`, `m`, `v` and `gradient` are the addresses of `count` float32 each.
   */
  adam(weight: number, m: number, v: number, gradient: number, count: number, step: AdamStep): void;
  /** Sum of squares of `count` float32, accumulated in float64. */
  sumOfSquares(address: number, count: number): number;
  /** bfloat16 to float32, exact. The source may be the upper half of the target, which is then widened in place; otherwise they must not overlap. */
  widenBfloat16(source: number, target: number, count: number): void;
  /** float16 to float32, exact, subnormals included; overlap as above. */
  widenFloat16(source: number, target: number, count: number): void;
  /** float32 to bfloat16, to nearest, ties to even. */
  narrowToBfloat16(source: number, target: number, count: number): void;
  /** float32 to float16, to nearest, ties to even; 65520 and more become infinity. */
  narrowToFloat16(source: number, target: number, count: number): void;
  /** target[rowIndices[r]] += source[r] for `rows` rows of `width` float32; indices are int32, must be rows of the target and may repeat. */
  addRows(target: number, source: number, rowIndices: number, rows: number, width: number): void;
  /** target += scale * source, `count` float32 each. */
  scaledAdd(target: number, source: number, scale: number, count: number): void;
  /** Sets `count` float32 to `value`. */
  fill(target: number, value: number, count: number): void;
}

/** The functions that assembly/index.ts exports. */
interface Exports extends Omit<Kernels, 'form' | 'adam'> {
  adam(
    weight: number,
    m: number,
    v: number,
    gradient: number,
    count: number,
    learningRate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    correction1: number,
    correction2: number,
    decay: number,
    gradientScale: number,
  ): void;
}

let compiled: WebAssembly.Module | undefined;

/** The SIMD kernels over `memory`. Throws a WebAssembly.CompileError where the engine has no SIMD. */
export function createKernels(memory: WebAssembly.Memory): Kernels {
  compiled ??= new WebAssembly.Module(Buffer.from(kernelsBinary, 'base64'));
  const exports = new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Exports;
  return {
    ...exports,
    form: 'simd',
    adam(weight, m, v, gradient, count, step) {
      const { learningRate, beta1, beta2, epsilon, correction1, correction2, decay, gradientScale } = step;
      exports.adam(
        weight,
        m,
        v,
        gradient,
        count,
        learningRate,
        beta1,
        beta2,
        epsilon,
        correction1,
        correction2,
        decay,
        gradientScale,
      );
    },
  };
}
