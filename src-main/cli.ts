#!/usr/bin/env node
/**
 * The command line: runs one command and ends with its exit code (0 done, 1 failed while running, 2 bad input, 130 interrupted).
 * It is wiring only: the commands are in cli/, one file each.
 */
import { realpathSync } from 'node:fs';
import { installationOf } from './cli/installation.ts';
import { runProgram } from './cli/program.ts';
import { answerProbe } from './engine/runtime/probe.ts';

async function main(): Promise<void> {
  // `doctor` tests GPUs in children of this very script.
  if (await answerProbe(process.argv)) return;
  // `npm run` changes to the project's folder; paths are relative to where the user is.
  const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
  if (script === 'hopscope' && folder) process.chdir(folder);
  const code = await runProgram(process.argv.slice(2), installationOf(realpathSync(process.argv[1]!)));
  // Ends the process whatever a library keeps open, once what was written has left it.
  process.stdout.write('', () => process.exit(code));
}

void main();
