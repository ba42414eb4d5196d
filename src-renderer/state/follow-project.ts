/**
 * Fetching what a project owns now and whenever it changes, in this window or in another one. What is fetched is the caller's business.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { ProjectPart } from '../../src-main/shared/contract-projects.ts';
import { follow } from './follow.ts';

const pauseMilliseconds = 300;

/** Calls `fetch` now and after changes of these parts, until the returned function is called. */
export function followProject(service: Service, parts: readonly ProjectPart[], fetch: () => Promise<unknown>): () => void {
  const loop = follow(async () => void (await fetch()), pauseMilliseconds);
  const unsubscribe = service.onProjectChanged(({ part }) => {
    if (parts.includes(part)) loop.changed();
  });
  return () => {
    unsubscribe();
    loop.end();
  };
}
