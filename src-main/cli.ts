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
  const code = await runProgram(process.argv.slice(2), installationOf(realpathSync(process.argv[1]!)));
  // Ends the process whatever a library keeps open, once what was written has left it.
  process.stdout.write('', () => process.exit(code));
}

void main();
