/** The preflight from the command line: findings are results, broken specs are errors. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Finding } from '../../src-main/shared/records.ts';
import { hopscope, succeed, temporaryFolder, writeJson } from './support.ts';

const folder = temporaryFolder();
const data = ['--data', join(folder, 'data')];
const pairs = [
  ['Grace Miller lives in', 'Belmoor'],
  ['Henry Carter lives in', 'Atlantis'],
];
const dataset = { train: pairs, test: pairs, options: { train: ['Belmoor'], test: ['Belmoor', 'Calderis'] } };

test('lists what it finds, errors first, and exits with 0', async () => {
  const path = writeJson(join(folder, 'spec.json'), { experiment: 'ocr', dataset });
  const { findings, errors, warnings, notes } = (await succeed(['preflight', path, ...data])) as Record<string, number> & {
    findings: Finding[];
  };
  expect([errors, warnings! > 0, notes! > 0]).toEqual([2, true, true]);
  expect(findings[0]).toMatchObject({ severity: 'error', code: 'AnswerNotAnOption', set: 'facts', items: [1] });
  const text = await hopscope(['preflight', path, ...data]);
  expect(text.stdout).toContain('error[AnswerNotAnOption] facts: the answers "Atlantis" of 1 item are not among the options');
});

test('refuses what is no spec', async () => {
  const outcome = await hopscope([
    'preflight',
    writeJson(join(folder, 'bad.json'), { experiment: 'alchemy' }),
    '--json',
    ...data,
  ]);
  expect(outcome.code).toBe(2);
  expect(outcome.json()).toMatchObject({ error: { code: 'UnknownExperiment' } });
});
