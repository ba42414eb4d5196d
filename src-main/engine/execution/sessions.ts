/**
 * Compiled programs by key, so that batches of one shape compile once; the least recently used are released.
 * It decides nothing about what a program computes.
 */
import type { Graph } from '../graph/graph.ts';
import { encodeOnnx } from '../graph/onnx.ts';
import { Session, type SessionSettings } from '../runtime/session.ts';

/** A fine-tuning run meets a handful of batch shapes; 64 programs are a few MB of graphs. */
const capacity = 64;

export class SessionCache {
  readonly #settings: SessionSettings;
  readonly #sessions = new Map<string, Session>();

  constructor(settings: SessionSettings) {
    this.#settings = settings;
  }

  /** The session under `key`, compiled from `build()` at its first use. */
  async get(key: string, build: () => Graph): Promise<Session> {
    let session = this.#sessions.get(key);
    if (session) this.#sessions.delete(key);
    else session = await Session.create(encodeOnnx(build()), this.#settings);
    this.#sessions.set(key, session);
    if (this.#sessions.size > capacity) {
      const [oldest, stale] = this.#sessions.entries().next().value!;
      this.#sessions.delete(oldest);
      stale.release();
    }
    return session;
  }

  release(): void {
    for (const session of this.#sessions.values()) session.release();
    this.#sessions.clear();
  }
}
