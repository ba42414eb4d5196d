/**
 * What a child process of the device tests runs: the real probe, or, by its first argument, one that hangs, aborts or says nothing.
 * It is the smallest entry that answers a probe.
 */
import { answerProbe } from '../../../src-main/engine/runtime/probe.ts';

const behaviour = process.argv[2];
if (behaviour === 'hang') setInterval(() => {}, 1000);
else if (behaviour === 'abort') process.abort();
else if (behaviour === 'say') {
  console.error('no driver');
  process.exit(3);
} else if (!(await answerProbe(process.argv))) throw new Error('This entry only answers probes.');
