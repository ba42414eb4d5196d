/** `npm run family-table`: runs the tests that README's table of families is made of, and rewrites the table from how they ended. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { coveringFiles } from './covering-files.ts';

const project = join(import.meta.dirname, '../..');
const parameters = [
  join(project, 'node_modules', 'vitest', 'vitest.mjs'),
  'run',
  ...coveringFiles(),
  ...['--config', 'test/vitest.config.ts'],
  ...['--reporter=default', `--reporter=${join(import.meta.dirname, 'family-table-reporter.ts')}`],
];
const { status } = spawnSync(process.execPath, parameters, {
  cwd: project,
  stdio: 'inherit',
  env: { ...process.env, HOPSCOPE_FAMILY_TABLE: 'update' },
});
process.exitCode = status ?? 1;
