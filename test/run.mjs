/**
 * `npm test`: every check of the project in order, and one line at the end: `N passed, N failed`.
 * `npm test -- unit e2e` runs only the steps named; what the end-to-end tests run in is installed where it is missing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../src-main/scripts/build.mjs';

const project = join(import.meta.dirname, '..');
const ownNode = join(project, 'node_modules', 'node', 'bin', 'node');

if (Number(process.versions.node.split('.')[0]) < 22 && existsSync(ownNode)) {
  // Called without npm, under an old Node: once more under the project's.
  process.exit(spawnSync(ownNode, process.argv.slice(1), { stdio: 'inherit' }).status ?? 1);
}

// Children find the project's own programs and Node first, as under npm.
process.env.PATH = `${join(project, 'node_modules', '.bin')}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}`;

const scratch = mkdtempSync(join(tmpdir(), 'hopscope-test-'));
const counts = { passed: 0, failed: 0 };

function node(script, parameters, environment = {}) {
  const { status } = spawnSync(process.execPath, [join(project, 'node_modules', ...script), ...parameters], {
    cwd: project,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  return status === 0;
}

/** A check that passes or fails as a whole. */
function check(passes) {
  return () => {
    counts[passes() ? 'passed' : 'failed'] += 1;
  };
}

/** A run of vitest, whose tests count one by one. A file that could not be loaded, or a run that broke, counts as a failure. */
function vitest(name, config, environment = () => ({}), filters = [], reporters = []) {
  return async () => {
    const report = join(scratch, `${name}.json`);
    let variables;
    try {
      variables = await environment();
    } catch (error) {
      console.error(`error[NoRuntime]: ${error.message}`);
      counts.failed += 1;
      return;
    }
    const parameters = [
      'run',
      ...filters,
      '--config',
      config,
      '--reporter=default',
      '--reporter=json',
      ...reporters.map((path) => `--reporter=${join(project, path)}`),
      `--outputFile.json=${report}`,
    ];
    const passed = node(['vitest', 'vitest.mjs'], parameters, variables);
    const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { numPassedTests: 0, numFailedTests: 0 };
    counts.passed += result.numPassedTests;
    counts.failed += passed ? 0 : Math.max(1, result.numFailedTests);
  };
}

/** A Chromium and an Electron for the end-to-end tests, found here or installed. */
async function runtimes() {
  const { findChromium, findElectron } = await import('./scripts/runtimes.mjs');
  return { HOPSCOPE_CHROMIUM: findChromium(), HOPSCOPE_ELECTRON: findElectron() };
}

const steps = {
  // Tests of screens know the DOM, the rest must not
  types: check(() =>
    ['src-main', 'test/renderer'].every((part) =>
      node(['typescript', 'bin', 'tsc'], ['-p', join(part, 'tsconfig.json'), '--noEmit']),
    ),
  ),
  screens: check(() =>
    node(['svelte-check', 'bin', 'svelte-check'], ['--tsconfig', 'src-renderer/tsconfig.json', '--fail-on-warnings']),
  ),
  lint: check(() => node(['@biomejs', 'biome', 'bin', 'biome'], ['check', '--error-on-warnings'])),
  build: check(() => build()),
  unit: vitest('unit', 'test/vitest.config.ts', undefined, [], ['test/scripts/family-table-reporter.ts']),
  // The engine once more without the private output path of onnxruntime and without SIMD: what is left where they cannot be had.
  plain: vitest('plain', 'test/vitest.config.ts', () => ({ HOPSCOPE_PLAIN_OUTPUTS: '1', HOPSCOPE_PLAIN_KERNELS: '1' }), [
    'parity/',
    'engine/runtime/',
    'engine/kernels/',
  ]),
  e2e: vitest('e2e', 'test/e2e/vitest.config.ts', runtimes),
};

const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in steps));
if (unknown.length > 0) {
  console.error(`error[UnknownStep]: there is no step ${unknown.join(', ')}; the steps are ${Object.keys(steps).join(', ')}.`);
  process.exit(2);
}

for (const [name, step] of Object.entries(steps)) {
  if (named.length > 0 && !named.includes(name)) continue;
  const begun = Date.now();
  console.log(`\n--- ${name}`);
  await step();
  console.log(
    `--- ${name}: ${((Date.now() - begun) / 1000).toFixed(0)} s, so far ${counts.passed} passed, ${counts.failed} failed`,
  );
}
rmSync(scratch, { recursive: true, force: true });
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 ? 1 : 0;
