/** Runs the command line from source, as a child process, in a folder of the test's own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';

export const entry = join(import.meta.dirname, '../../src-main/cli.ts');

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
  /** stdout, which must be exactly one JSON object. */
  json(): Record<string, unknown>;
}

/** Without the cache most of a short command's time goes into reading the sources. */
const environment = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'hopscope-test-compile-cache') };

/** A folder that is removed after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hopscope-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** One command to its end. `onOutput` is told of both streams and may send signals. */
export function hopscope(
  parameters: readonly string[],
  { cwd, onOutput }: { cwd?: string; onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entry, ...parameters], { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      onOutput?.(text, (signal) => child.kill(signal));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      onOutput?.(text, (signal) => child.kill(signal));
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const json = () => {
        expect(
          stdout.endsWith('\n') && stdout.trimEnd().split('\n').length,
          `one line of JSON, not ${stdout.slice(0, 300)}`,
        ).toBe(1);
        return JSON.parse(stdout) as Record<string, unknown>;
      };
      resolve({ code, stdout, stderr, json });
    });
  });
}

/** The JSON result of a command that must succeed. */
export async function succeed(parameters: readonly string[], options: { cwd?: string } = {}): Promise<Record<string, unknown>> {
  const outcome = await hopscope([...parameters, '--json'], options);
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome.json();
}

/** The command must end with exit code 2 and one line `error[code]: ...`, the same as JSON, and leave `folder` as it was. */
export async function refuse(parameters: readonly string[], code: string, mentions: string, folder: string): Promise<void> {
  const before = readdirSync(folder, { recursive: true }).sort();
  const outcome = await hopscope([...parameters, '--json'], { cwd: folder });
  const label = `${parameters.join(' ')}\n${outcome.stderr}`;
  expect(outcome.code, label).toBe(2);
  const lines = outcome.stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('warning: '));
  expect(lines, label).toHaveLength(1);
  expect(lines[0], label).toMatch(new RegExp(`^error\\[${code}\\]: .`));
  expect(lines[0], label).toContain(mentions);
  expect(outcome.json(), label).toEqual({ error: { code, message: lines[0]!.slice(`error[${code}]: `.length) } });
  expect(readdirSync(folder, { recursive: true }).sort(), label).toEqual(before);
}

export function writeJson(path: string, value: unknown): string {
  writeFileSync(path, JSON.stringify(value));
  return path;
}
