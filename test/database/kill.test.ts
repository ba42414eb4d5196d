import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { getSteps } from '../../src-main/database/measurements.ts';
import { closeDatabase, openDatabase } from '../../src-main/database/open.ts';
import { listRuns } from '../../src-main/database/run-list.ts';
import { temporaryFolder } from './support.ts';

const kills = 20;

/** Starts a writer, kills it `delay` ms after its first acknowledgement, and returns how many rows it acknowledged. */
function writeAndKill(path: string, run: string, delay: number): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'acknowledging-writer.ts'), path, run]);
    let output = '';
    let errors = '';
    child.stdout.on('data', (text) => {
      if (output === '') setTimeout(() => child.kill('SIGKILL'), delay);
      output += text;
    });
    child.stderr.on('data', (text) => {
      errors += text;
    });
    child.on('close', () => {
      expect(errors).toBe('');
      // A last line without its end was not read whole.
      resolve(Number(output.split('\n').at(-2)));
    });
  });
}

test(`${kills} kills of a writer lose no acknowledged row and leave no half batch`, async () => {
  const path = join(temporaryFolder(), 'hopscope.db');
  const acknowledged = new Map<string, number>();
  const counts = new Map<string, number>();
  for (let kill = 0; kill < kills; kill++) {
    acknowledged.set(`run-${kill}`, await writeAndKill(path, `run-${kill}`, (kill * 13) % 90));
    const database = openDatabase(path, { check: true });
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(database.pragma('foreign_key_check')).toEqual([]);
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    for (const [run, count] of acknowledged) {
      const steps = getSteps(database, run);
      expect(steps.map((row) => row.step)).toEqual(steps.map((_, index) => index));
      expect(steps.length).toBeGreaterThanOrEqual(count);
      // Neither half a batch, nor more than the one that was committed but not yet acknowledged; and never fewer than seen before.
      expect(steps.length % 10).toBe(0);
      expect(steps.length - count).toBeLessThanOrEqual(10);
      expect(steps.length).toBeGreaterThanOrEqual(counts.get(run) ?? 0);
      counts.set(run, steps.length);
    }
    // Every third time the log is left for the next writer to recover.
    if (kill % 3 === 0) database.close();
    else closeDatabase(database);
  }
  const database = openDatabase(path);
  expect(listRuns(database, { limit: 100, offset: 0 }).total).toBe(kills);
  closeDatabase(database);
  expect([...acknowledged.values()].every((count) => count >= 10)).toBe(true);
}, 120_000);
