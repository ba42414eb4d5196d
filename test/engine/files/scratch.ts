/**
 * A temporary folder per test and small helpers to look at what a call left behind or threw.
 * It holds no test.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { HopscopeError } from '../../../src-main/shared/errors.ts';

export const fixtures = join(import.meta.dirname, '../../fixtures');

/** A new empty folder, removed when the running test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hopscope-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `CODE: message` of the HopscopeError that an action throws; fails on any other outcome. */
export function errorOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof HopscopeError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The same of a promise. */
export async function rejectionOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    return errorOf(() => {
      throw error;
    });
  }
  throw new Error('nothing was thrown');
}

/** Processor seconds that an action takes, which other programs on the machine do not change. */
export function cpuSeconds(action: () => unknown): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
