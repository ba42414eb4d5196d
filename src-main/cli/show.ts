/**
 * `hopscope show RUN`: one run with its spec, where its results came from, the results, and what was measured by epoch.
 * Items' own logits are left out: exports have them.
 */
import type { Command } from './command.ts';
import { evaluationTable, runFacts } from './run-text.ts';
import { withService } from './workbench.ts';

export const show: Command = {
  name: 'show',
  summary: 'show one run: spec, results, what was measured',
  argument: { name: 'run', help: 'a name from "hopscope runs"' },
  options: [],

  async run({ argument }, context) {
    await withService(context, async (service) => {
      const detail = await service.run(argument);
      const steps = await service.steps(argument);
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
      };
      const parts = [runFacts(detail), `spec: ${JSON.stringify(detail.spec)}`, `steps: ${steps.length}`];
      // The results of a finished run say the same
      if (detail.results === null && evaluations.length > 0) parts.push(evaluationTable(evaluations));
      context.print(result, parts.join('\n\n'));
    });
  },
};
