/**
 * The log of a run, put together from its stored rows: begin, pauses and end, trainings with their steps and seconds, warnings, the error.
 * Nothing of it is stored as text, and times of day are known only for the run as a whole.
 */
import type { EvaluationRow, RunDetail, StepRow } from '../../src-main/shared/records.ts';
import { formatDuration, formatNumber, formatRank, plural, stageName } from '../text/format.ts';
import { stagesOf } from './curves.ts';

export interface LogEntry {
  kind: 'event' | 'stage' | 'warning' | 'error';
  /** ISO 8601, UTC; null where only the order is known. */
  time: string | null;
  text: string;
  /** How long it took, as text; empty where that is unknown. */
  took: string;
}

export function runLog(run: RunDetail, steps: readonly StepRow[], evaluations: readonly EvaluationRow[]): LogEntry[] {
  const event = (time: string | null, text: string, took = ''): LogEntry => ({ kind: 'event', time, text, took });
  const waited = run.started === null ? Number.NaN : (Date.parse(run.started) - Date.parse(run.created)) / 1000;
  const entries = [event(run.created, 'Asked for')];
  if (run.started !== null) entries.push(event(run.started, 'Began', waited >= 1 ? `waited ${formatDuration(waited)}` : ''));
  if (run.provenance !== null) {
    const { device, threads } = run.provenance;
    entries.push(event(null, `Model opened on ${device}, ${plural(threads, 'thread')}`));
  }
  for (const message of run.warnings) entries.push({ kind: 'warning', time: null, text: message, took: '' });
  for (const stage of stagesOf(evaluations)) {
    const seeds = [...new Set(evaluations.filter((row) => row.stage === stage).map(({ seed }) => seed))];
    for (const seed of seeds) entries.push(stageEntry(stage, seed, steps, evaluations));
  }
  for (const { begun, ended } of run.pauses) {
    entries.push(event(begun, 'Paused'));
    if (ended !== null) {
      const halted = (Date.parse(ended) - Date.parse(begun)) / 1000;
      entries.push(event(ended, 'Resumed', `${formatDuration(halted)} paused`));
    }
  }
  if (run.error !== null)
    entries.push({ kind: 'error', time: run.finished, text: `${run.error.code}: ${run.error.message}`, took: '' });
  if (run.finished !== null) {
    entries.push(event(run.finished, `Ended, ${run.state}`, run.seconds > 0 ? `${formatDuration(run.seconds)} in all` : ''));
  }
  return entries;
}

function stageEntry(stage: string, seed: number, steps: readonly StepRow[], evaluations: readonly EvaluationRow[]): LogEntry {
  const own = steps.filter((step) => step.stage === stage && step.seed === seed);
  const measured = evaluations.filter((row) => row.stage === stage && row.seed === seed);
  const seconds = own.reduce((sum, step) => sum + step.seconds, 0);
  const last = new Map(measured.map((row) => [row.set, row.meanRank]));
  const parts = [
    ...(own.length > 0
      ? [`${plural(own.length, 'step')}, loss ${formatNumber(own[0]!.loss)} to ${formatNumber(own.at(-1)!.loss)}`]
      : []),
    ...[...last].map(([set, rank]) => `${set} at ${formatRank(rank)}`),
  ];
  return {
    kind: 'stage',
    time: null,
    text: `${stageName(stage)}, seed ${seed}: ${parts.join('; ')}`,
    took: own.length > 0 ? `${formatDuration(seconds)} of steps` : '',
  };
}
