/**
 * `hopscope show RUN`: one run with its spec, where its results came from, the results, and what was measured by epoch.
 * Items' own logits are left out: exports have them.
 */
import { join } from 'node:path';
import { keptWeightsPath } from '../service/kept-files.ts';
import { formatBytes } from '../shared/byte-count.ts';
import type { Command } from './command.ts';
import { evaluationTable, runFacts } from './run-text.ts';
import { table } from './text.ts';
import { withService } from './workbench.ts';

export const show: Command = {
  name: 'show',
  summary: 'show one run: spec, results, what was measured',
  argument: { name: 'run', help: 'a name from "hopscope runs"' },
  options: [],

  async run({ argument }, context) {
    const pathOf = (file: string) => join(keptWeightsPath(context.dataFolder), file);
    await withService(context, async (service) => {
      const detail = await service.run(argument);
      const steps = await service.steps(argument);
      const kept = await service.keptWeights(argument);
      const evaluations = await service.evaluations(argument, { items: false });
      const result = {
        ...detail,
        steps: {
          count: steps.length,
          losses: steps.map(({ seed, stage, epoch, step, loss }) => ({ seed, stage, epoch, step, loss })),
        },
        evaluations: evaluations.map(({ seed, stage, epoch, set, meanRank, loss }) => ({
          seed,
          stage,
          epoch,
          set,
          mean_rank: meanRank,
          loss,
        })),
        weights: kept.map(({ file, ...row }) => ({ ...row, path: pathOf(file) })),
      };
      const parts = [runFacts(detail), `spec: ${JSON.stringify(detail.spec)}`, `steps: ${steps.length}`];
      if (kept.length > 0) {
        const rows = kept.map(({ stage, seed, file, bytes, hash }) => [stage, seed, formatBytes(bytes), pathOf(file), hash]);
        parts.push(`kept weights:\n${table([['stage', 'seed', 'size', 'file', 'sha256'], ...rows])}`);
      }
      // The results of a finished run say the same
      if (detail.results === null && evaluations.length > 0) parts.push(evaluationTable(evaluations));
      context.print(result, parts.join('\n\n'));
    });
  },
};
