/**
 * An event source: listeners subscribe, the owner emits, and one listener's exception reaches no other one.
 * It keeps no history and has no order of importance among listeners.
 */
import type { Event } from './contract.ts';

/** `subscribe` is what to hand out as an `onX` member; `emit` stays with the owner. */
export function createEvent<T>(): { subscribe: Event<T>; emit(value: T): void } {
  const listeners = new Set<{ listener: (value: T) => void }>();
  return {
    subscribe(listener) {
      // An entry of its own, so that one function subscribed twice is told twice and ends twice.
      const entry = { listener };
      listeners.add(entry);
      return () => {
        listeners.delete(entry);
      };
    },
    emit(value) {
      for (const entry of [...listeners]) {
        try {
          entry.listener(value);
        } catch {
          // A listener's fault is its own: the emitter and the other listeners go on.
        }
      }
    },
  };
}
