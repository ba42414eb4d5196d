/**
 * The list of commands, in the order of the help. Adding one is its file and a line here.
 */
import type { Command } from './command.ts';
import { doctor } from './doctor.ts';
import { evaluate } from './evaluate.ts';
import { forward } from './forward.ts';
import { makeRandom } from './make-random.ts';
import { model } from './model.ts';
import { preflight } from './preflight.ts';
import { pretrain } from './pretrain.ts';
import { run } from './run.ts';
import { runs } from './runs.ts';
import { scores } from './scores.ts';
import { serve } from './serve.ts';
import { show } from './show.ts';
import { tokenize } from './tokenize.ts';
import { train } from './train.ts';

export const commands: readonly Command[] = [
  run,
  preflight,
  runs,
  show,
  serve,
  model,
  tokenize,
  forward,
  evaluate,
  scores,
  train,
  pretrain,
  makeRandom,
  doctor,
];
