/** Folders and runs for the database's and the service's tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { NewRun } from '../../src-main/database/runs.ts';

const folders: string[] = [];

// Registered when the test file loads this one: a hook that a running test registers is never called.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A fresh folder, removed after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hopscope-test-'));
  folders.push(folder);
  return folder;
}

export function newRun(run: string, owner = 'nobody'): NewRun {
  const spec = { experiment: 'ocr', model: 'small-world', dataset: 'first-hop', seeds: [0] };
  const title = 'OCR · first-hop · small-world';
  return {
    run,
    owner,
    experiment: 'ocr',
    title,
    model: 'small-world',
    dataset: 'first-hop',
    spec,
    created: '2026-11-22T10:00:00.000Z',
  };
}
