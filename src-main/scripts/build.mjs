/**
 * Builds the workbench into out/ when it is missing or older than what it is built from.
 * It is plain Node, for npm's scripts; how the build is done says electron.vite.config.ts.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const project = join(import.meta.dirname, '..', '..');

const sources = ['src-main', 'src-renderer', 'electron.vite.config.ts', 'package-lock.json'];
/** Written last by a build. */
const products = ['out/main/main.cjs', 'out/main/cli.cjs', 'out/preload/preload.cjs', 'out/renderer/index.html'];

/** Milliseconds of the newest change at or under `path`. */
function newest(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(status.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Whether out/ is whole and newer than every source. */
export function isBuilt() {
  const files = products.map((name) => join(project, name));
  if (!files.every((file) => existsSync(file))) return false;
  const oldest = Math.min(...files.map((file) => statSync(file).mtimeMs));
  return sources.map((name) => join(project, name)).every((path) => newest(path) <= oldest);
}

/** The steps of a build: the WebAssembly kernels, then everything that imports them. */
const steps = [
  [join(project, 'src-main', 'engine', 'kernels', 'build.mjs')],
  [join(project, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js'), 'build', '--logLevel', 'warn'],
];

/** Builds; returns whether that worked. `quiet` leaves out what the build prints unless it fails. */
export function build({ quiet = false } = {}) {
  for (const parameters of steps) {
    const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
      cwd: project,
      stdio: quiet ? 'pipe' : 'inherit',
      encoding: 'utf8',
    });
    if (status === 0) continue;
    if (quiet) process.stderr.write(`${stdout}${stderr}`);
    return false;
  }
  return true;
}
