/**
 * `npm run bench:screens`: how smoothly the screens work on a project of 1,000 runs and a model of 32 layers, in a real Chromium.
 * This file only makes sure of a Node that runs TypeScript; screens.ts does the work.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ownNode = join(import.meta.dirname, '..', '..', 'node_modules', 'node', 'bin', 'node');

if (Number(process.versions.node.split('.')[0]) < 24 && existsSync(ownNode)) {
  // Called without npm, under an old Node: once more under the project's.
  process.exit(spawnSync(ownNode, process.argv.slice(1), { stdio: 'inherit' }).status ?? 1);
}
const { main } = await import('./screens.ts');
process.exitCode = await main(process.argv.slice(2));
