/**
 * The one source of chance of the project: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2018; prng.di.unimi.it), seeded by SplitMix64. It is not for secrets, and it does not imitate the draws
 * of NumPy or PyTorch.
 */
import { HopscopeError } from './errors.ts';

/** Everything a stream needs to go on where it stopped. */
export interface RandomState {
  key: string;
  words: [number, number, number, number];
}

const MASK = 0xffffffffffffffffn;

/** The next `count` outputs of SplitMix64 from `seed`, the generator its authors advise for seeding. */
export function splitMix64(seed: bigint, count: number): bigint[] {
  let state = seed & MASK;
  return Array.from({ length: count }, () => {
    state = (state + 0x9e3779b97f4a7c15n) & MASK;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return z ^ (z >> 31n);
  });
}

/** FNV-1a, 64 bits, over UTF-8: turns the label of a stream into a seed. */
function hashText(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK;
  return hash;
}

/** A seeded stream of numbers. The same seed gives the same draws on every machine. */
export class Random {
  readonly key: string;
  private words: [number, number, number, number];

  /** A whole number (its absolute size below 2^53) or any text. A number and its decimal text are two different seeds. */
  constructor(seed: number | string) {
    if (typeof seed === 'number' && !Number.isSafeInteger(seed)) {
      throw new HopscopeError('BadSeed', `The seed ${seed} is not a whole number below 2^53. Give an integer or a text.`);
    }
    this.key = String(seed);
    const [low, high] = splitMix64(typeof seed === 'number' ? BigInt(seed) : hashText(seed), 2);
    const half = (word: bigint, shift: bigint) => Number((word >> shift) & 0xffffffffn);
    this.words = [half(low!, 0n), half(low!, 32n), half(high!, 0n), half(high!, 32n)];
  }

  /** The next 32 bits, as an integer from 0 to 2^32 - 1. */
  bits(): number {
    const s = this.words;
    const product = Math.imul(s[1], 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** Uniform in [0, 1), with 53 random bits. */
  next(): number {
    const high = this.bits() >>> 5;
    return (high * 0x4000000 + (this.bits() >>> 6)) / 0x20000000000000;
  }

  /** Uniform among 0 .. limit - 1, without bias: draws that would favour small values are thrown away. */
  integer(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 0x100000000) {
      throw new HopscopeError('BadLimit', `A random integer needs a limit from 1 to 2^32, not ${limit}.`);
    }
    const usable = 0x100000000 - (0x100000000 % limit);
    let value = this.bits();
    while (value >= usable) value = this.bits();
    return value % limit;
  }

  /** Normal with mean 0 and deviation 1 (Box and Muller; the second value of each pair is not kept, so a state is four words). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  /** Shuffles in place (Fisher and Yates) and returns the same array. */
  shuffle<T>(array: T[]): T[] {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = array[i] as T;
      array[i] = array[j] as T;
      array[j] = held;
    }
    return array;
  }

  /** 0 .. count - 1 in random order. */
  permutation(count: number): number[] {
    return this.shuffle(Array.from({ length: count }, (_, i) => i));
  }

  /** One element, each as likely as the others. */
  choose<T>(array: readonly T[]): T {
    if (array.length === 0) throw new HopscopeError('BadLimit', 'A random choice needs at least one element.');
    return array[this.integer(array.length)] as T;
  }

  /** `count` different elements, in random order. */
  sample<T>(array: readonly T[], count: number): T[] {
    if (count > array.length) {
      throw new HopscopeError('BadLimit', `${count} different elements cannot be drawn from ${array.length}.`);
    }
    return this.shuffle([...array]).slice(0, count);
  }

  /** Another stream, decided by this one's seed and the label alone: how much was drawn before does not matter. */
  fork(label: string): Random {
    return new Random(`${this.key}/${label}`);
  }

  /** A JSON-able copy of where the stream stands. */
  state(): RandomState {
    return { key: this.key, words: [...this.words] };
  }

  /** A stream that goes on from a stored state. */
  static restore(state: RandomState): Random {
    const valid = state.words.length === 4 && state.words.every(Number.isInteger) && state.words.some((word) => word !== 0);
    if (!valid) throw new HopscopeError('BadRandomState', 'The stored state of a random stream is not four integers, not all 0.');
    const random = new Random(state.key);
    random.words = [...state.words];
    return random;
  }
}
