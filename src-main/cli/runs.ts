/**
 * `hopscope runs`: the runs of the data folder, newest first, in whatever state they are. It changes none.
 */
import { HopscopeError } from '../shared/errors.ts';
import type { RunSummary } from '../shared/records.ts';
import type { Command } from './command.ts';
import { duration, table } from './text.ts';
import { withService } from './workbench.ts';

const pageSize = 500;

export const runs: Command = {
  name: 'runs',
  summary: 'list the runs of the data folder, newest first',
  options: [{ name: 'limit', value: 'COUNT', help: 'the newest only; all by default' }],

  async run(given, context) {
    const limit = readLimit(given.optional('limit'));
    const { found, total } = await withService(context, async (service) => {
      const collected: RunSummary[] = [];
      for (;;) {
        const page = await service.runs({ limit: Math.min(pageSize, limit - collected.length), offset: collected.length });
        collected.push(...page.runs);
        if (page.runs.length === 0 || collected.length >= Math.min(limit, page.total))
          return { found: collected, total: page.total };
      }
    });
    const rows = found.map(({ run, title, state, created, seconds }) => [
      run,
      state,
      created.slice(0, 16).replace('T', ' '),
      duration(seconds),
      title,
    ]);
    const text =
      rows.length === 0
        ? `No runs in ${context.dataFolder}.`
        : table([['run', 'state', 'created (UTC)', 'time', 'title'], ...rows]);
    context.print({ runs: found, total }, text);
  },
};

function readLimit(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new HopscopeError('BadArguments', `--limit ${text}: a whole number of at least 1 is expected.`);
}
