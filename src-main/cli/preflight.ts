/**
 * `hopscope preflight SPEC.yaml`: how the chosen model's tokenizer reads a spec's data set, before anything runs.
 * What is looked for is scores/preflight.ts's; errors found here are results, so the exit code is 0.
 */
import type { Finding } from '../shared/records.ts';
import type { Command } from './command.ts';
import { readSpec } from './run.ts';
import { withService } from './workbench.ts';

export const preflight: Command = {
  name: 'preflight',
  summary: "check a spec's data set against its model's tokenizer",
  argument: { name: 'spec', help: 'YAML or JSON: experiment, model, dataset and settings' },
  options: [],

  async run({ argument }, context) {
    const spec = readSpec(argument, context);
    const findings = await withService(context, (service) => service.preflight(spec));
    const counts = { error: 0, warning: 0, note: 0 };
    for (const { severity } of findings) counts[severity]++;
    context.print({ findings, errors: counts.error, warnings: counts.warning, notes: counts.note }, text(findings));
  },
};

function text(findings: readonly Finding[]): string {
  return findings.map(({ severity, code, message }) => `${severity}[${code}] ${message}`).join('\n');
}
