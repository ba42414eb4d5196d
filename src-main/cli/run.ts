/**
 * `hopscope run SPEC.yaml`: runs an experiment as the workbench does, stores it in the data folder and prints its results.
 * Specs are judged where experiments are; this file reads, starts, follows and reports.
 */
import { resolve } from 'node:path';
import type { Service } from '../shared/contract.ts';
import { errorFromRecord, HopscopeError } from '../shared/errors.ts';
import type { ExperimentSpec, Json, RunDetail } from '../shared/records.ts';
import type { Command, Context } from './command.ts';
import { runFacts } from './run-text.ts';
import { orAborted, withService } from './workbench.ts';
import { readYamlFile } from './yaml-file.ts';

/** What a spec calls the model that ships. */
const smallWorld = 'small-world';

export const run: Command = {
  name: 'run',
  summary: 'run an experiment from a spec and store it',
  argument: { name: 'spec', help: 'YAML or JSON: experiment, model, dataset and settings' },
  options: [],

  async run({ argument }, context) {
    const spec = readSpec(argument, context);
    const detail = await withService(context, (service) => runToItsEnd(service, spec, context));
    for (const warning of detail.warnings) context.warn(warning);
    const { run, experiment, results, seconds } = detail;
    context.print({ run, experiment, results, seconds }, runFacts(detail));
  },
};

/**
 * The file's keys; `--device`, `--threads` and `--memory` take the place of the file's own. Paths become absolute, so that what is stored
 * means the same from everywhere.
 */
export function readSpec(path: string, { device, threads, memory }: Context): ExperimentSpec {
  const { experiment, model = smallWorld, dataset = null, ...rest }: { [key: string]: Json } = readYamlFile(path);
  if (typeof experiment !== 'string') {
    throw new HopscopeError('BadSpec', `${path}: the key experiment is missing, such as \`experiment: ocr\`.`);
  }
  if (typeof model !== 'string') {
    throw new HopscopeError('BadSpec', `${path}: model is ${JSON.stringify(model)}; a folder or ${smallWorld} is expected.`);
  }
  return {
    experiment,
    model: model === smallWorld ? model : resolve(model),
    dataset: typeof dataset === 'string' && /[/\\.]/.test(dataset) ? resolve(dataset) : dataset,
    ...rest,
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
    ...(memory === undefined ? {} : { memory }),
  };
}

async function runToItsEnd(service: Service, spec: ExperimentSpec, { signal, progress }: Context): Promise<RunDetail> {
  const follower = follow(service, progress);
  try {
    const { run } = await orAborted(service.startRun(spec), signal);
    const stop = () => void service.stopRun(run);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const detail = await follower.end(run);
    signal.removeEventListener('abort', stop);
    if (detail.state === 'finished') return detail;
    if (detail.error) throw errorFromRecord(detail.error);
    throw new HopscopeError(
      'Interrupted',
      `Run ${run} was stopped; what it has measured is stored ("hopscope show ${run}").`,
      'interrupted',
    );
  } finally {
    follower.close();
  }
}

/** Follows a run by its changes. Subscribes at once, so that none is missed. */
function follow(service: Service, progress: Context['progress']) {
  let look = () => {};
  const unsubscribe = service.onRunChanged(() => look());
  return {
    end(run: string): Promise<RunDetail> {
      return new Promise((settle, reject) => {
        let asking = false;
        let again = false;
        const ask = async () => {
          asking = true;
          const detail = await service.run(run);
          asking = false;
          if (detail.state !== 'queued' && detail.state !== 'running') settle(detail);
          else if (detail.progress) progress(detail.progress);
          if (again) look();
        };
        look = () => {
          again = asking;
          if (!asking) ask().catch(reject);
        };
        look();
      });
    },
    close: unsubscribe,
  };
}
