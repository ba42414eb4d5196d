/**
 * Programs by key, so that batches of one shape compile once; the least recently used are released.
 * It decides nothing about what a program computes.
 */
import { RecentMap } from '../../shared/recent-map.ts';
import type { Graph } from '../graph/graph.ts';
import type { DeviceName } from '../runtime/device.ts';
import { DeviceMemory } from '../runtime/device-memory.ts';
import type { AnyTensor } from '../runtime/device-tensor.ts';
import { keepsTensors, Session, type SessionSettings } from '../runtime/session.ts';
import type { ProgramShape } from './programs.ts';

/** A fine-tuning run meets a handful of batch shapes; 64 programs are a few MB of graphs. */
const capacity = 64;

/** The part of a program's key that says its size. */
export const sizeKey = ({ batch, positions, rows }: ProgramShape, withRows = true): string =>
  `${batch}x${positions}${withRows ? `x${rows}` : ''}`;

/** What programs are compiled with; a stage that can leave its device says where they run now. */
export interface ProgramSettings extends SessionSettings {
  stage?: { readonly device?: DeviceName };
}

/** A program, compiled for what it is fed with: on some devices weights may come in 16 bits. */
export class Program {
  readonly inputs: readonly string[];
  readonly #build: () => Graph;
  readonly #settings: ProgramSettings;
  readonly #sessions = new Map<string, Session>();
  /** Until it is compiled for the first time. */
  #graph: Graph | null;

  constructor(build: () => Graph, settings: ProgramSettings) {
    this.#build = build;
    this.#settings = settings;
    this.#graph = build();
    this.inputs = this.#graph.inputs.map(({ name }) => name);
  }

  /** Runs it as `Session.run` does. Errors: those of `Session.compile` and `Session.run`. */
  async run(feeds: Readonly<Record<string, AnyTensor>>, results: Readonly<Record<string, AnyTensor>>): Promise<void> {
    const halves = Object.keys(feeds).filter((name) => feeds[name]!.type === 'float16');
    const device = this.#settings.stage?.device ?? this.#settings.device;
    const key = [device, ...halves].join();
    let session = this.#sessions.get(key);
    if (!session) {
      const { threads } = this.#settings;
      // The device forgets its compiled kernels with the last program; its memory is one that never goes
      if (keepsTensors(device)) await DeviceMemory.of(device);
      const graph = this.#graph ?? this.#build();
      this.#graph = null;
      session = await Session.compile(graph, { device, threads, name: graph.name }, new Set(halves));
      this.#sessions.set(key, session);
    }
    session.run(feeds, results);
  }

  release(): void {
    for (const session of this.#sessions.values()) session.release();
    this.#sessions.clear();
  }
}

export class SessionCache {
  readonly #settings: ProgramSettings;
  readonly #programs = new RecentMap<string, Program>(capacity, (program) => program.release());

  constructor(settings: ProgramSettings) {
    this.#settings = settings;
  }

  /** The program under `key`, made of what `build()` returns. */
  get(key: string, build: () => Graph): Program {
    return this.#programs.get(key, () => new Program(build, this.#settings));
  }

  release(): void {
    this.#programs.clear();
  }
}
