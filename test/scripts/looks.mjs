/**
 * `npm run looks`: compares how every screen looks with the stored pictures; with `--update` it stores them anew. A name after it
 * (`npm run looks -- circuit`) takes the shots whose names have it. It is the end-to-end test of looks alone, after a build.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, isBuilt, project } from '../../src-main/scripts/build.mjs';
import { findChromium } from './runtimes.mjs';

const parameters = process.argv.slice(2);
const names = parameters.filter((parameter) => parameter !== '--update');
if (!isBuilt() && !build({ quiet: true })) process.exit(1);

const { status } = spawnSync(
  process.execPath,
  [
    join(project, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    join('test', 'e2e', 'looks.test.ts'),
    '--config',
    join('test', 'e2e', 'vitest.config.ts'),
    ...(names.length > 0 ? ['--testNamePattern', names.join('|')] : []),
  ],
  {
    cwd: project,
    stdio: 'inherit',
    env: {
      ...process.env,
      HOPSCOPE_CHROMIUM: findChromium(),
      ...(parameters.includes('--update') ? { HOPSCOPE_LOOKS: 'update' } : {}),
    },
  },
);
process.exitCode = status ?? 1;
