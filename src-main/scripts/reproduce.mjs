/**
 * `npm run reproduce`: every experiment of the paper on the small world, through the command line as anybody would run it, and a table of what it
 * shows beside the paper's values. `--seeds N` (5), `--data FOLDER` (a fresh one), `--markdown FILE` (also writes the tables there).
 * What is run and compared says the folder reproduction.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, isBuilt, project } from './build.mjs';
import { rankParts } from './reproduction/rank-parts.ts';
import { scoreParts } from './reproduction/score-parts.ts';
import { directionTable, judge, valueTable } from './reproduction/tables.ts';

const { values: given } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    data: { type: 'string' },
    markdown: { type: 'string' },
  },
});

function say(text) {
  process.stderr.write(`${text}\n`);
}

/** One command line to its end: its JSON. */
function hopscope(parameters) {
  const child = spawn(process.execPath, [join(project, 'out', 'main', 'cli.cjs'), ...parameters, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  // Progress, which nobody reads here
  child.stderr.resume();
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const text = Buffer.concat(chunks).toString('utf8');
      try {
        resolve(JSON.parse(text));
      } catch {
        resolve({ error: { code: 'NoResult', message: `The command line ended with code ${code} and no JSON.` } });
      }
    });
  });
}

async function main() {
  const count = Number(given.seeds);
  if (!Number.isInteger(count) || count < 1 || count > 1000) {
    say(`--seeds ${given.seeds}: a whole number from 1 to 1000 is expected.`);
    return 2;
  }
  if (!isBuilt()) {
    say('Building the workbench ...');
    if (!build({ quiet: true })) return 1;
  }
  const folder = given.data === undefined ? mkdtempSync(join(tmpdir(), 'hopscope-reproduce-')) : resolve(given.data);
  const specs = mkdtempSync(join(tmpdir(), 'hopscope-specs-'));
  const seeds = Array.from({ length: count }, (_, seed) => seed);
  const begun = performance.now();
  const outcomes = [];
  const notes = [];
  let failed = false;
  for (const [index, part] of [...rankParts, ...scoreParts].entries()) {
    const path = join(specs, `${index}.json`);
    writeFileSync(path, JSON.stringify({ model: 'small-world', seeds, ...part.spec }));
    const started = performance.now();
    const { error, results } = await hopscope(['run', path, '--data', folder]);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    if (error) {
      notes.push(
        `${part.title}: ${error.code === 'UnknownExperiment' ? 'this version does not have it' : `${error.code}, ${error.message}`}`,
      );
      failed ||= error.code !== 'UnknownExperiment';
      say(`${part.title}: ${error.code}`);
      continue;
    }
    outcomes.push({ part, results });
    say(`${part.title}: ${seconds} s`);
  }
  rmSync(specs, { recursive: true });
  const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
  const judged = judge(outcomes);
  const text = [
    `Small world, ${count} seeds, ${minutes} minutes. Means over seeds with ${count < 5 ? 'their ranges' : '95 % bootstrap intervals'}; seeds draw the order of the facts, model and facts stay the same. Ranks: 0 is best. A direction agrees (or does not) where ${count < 5 ? 'the ranges' : 'the intervals'} lie apart, else it is unclear.`,
    directionTable(judged),
    'All values:',
    valueTable(judged),
    ...notes.map((note) => `Not run: ${note}`),
  ].join('\n\n');
  process.stdout.write(`${text}\n`);
  if (given.markdown !== undefined) writeFileSync(given.markdown, `${text}\n`);
  say(`The runs are in ${folder}: npm run -s hopscope -- serve --data ${folder}`);
  return failed ? 1 : 0;
}

process.exitCode = await main();
