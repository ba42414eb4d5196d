import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sweepOwnerLocks, takeOwnerLock } from '../../src-main/database/owner-lock.ts';
import { temporaryFolder } from './support.ts';

async function hold(folder: string): Promise<{ child: ChildProcess; owner: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'lock-holder.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout!, 'data');
  return { child, owner: String(line).trim() };
}

test('a lock lives exactly as long as its process', async () => {
  const folder = join(temporaryFolder(), 'locks');
  const mine = takeOwnerLock(folder);
  const holders = await Promise.all([hold(folder), hold(folder), hold(folder)]);
  expect(new Set([mine.owner, ...holders.map((holder) => holder.owner)]).size).toBe(4);
  for (const { owner } of holders) expect(mine.isAlive(owner)).toBe(true);
  expect(sweepOwnerLocks(folder)).toEqual({ alive: 4, dead: 0 });
  expect(mine.isAlive(mine.owner)).toBe(true);
  for (const { child, owner } of holders) {
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(mine.isAlive(owner)).toBe(false);
  }
  expect(sweepOwnerLocks(folder)).toEqual({ alive: 1, dead: 3 });
  expect(readdirSync(folder)).toEqual([`${mine.owner}.lock`]);
  mine.release();
  expect(readdirSync(folder)).toEqual([]);
  expect(mine.isAlive('4711-never')).toBe(false);
});

test('a folder that is not there has no locks', () => {
  expect(sweepOwnerLocks(join(temporaryFolder(), 'absent'))).toEqual({ alive: 0, dead: 0 });
});
