/**
 * The schema's versions in order; version N is entry N - 1. It is a list only: open.ts applies it.
 */
import { runs } from './001-runs.ts';
import { figures } from './002-figures.ts';
import { labels } from './003-labels.ts';
import { scores } from './004-scores.ts';
import { projects } from './005-projects.ts';
import { outcomes } from './006-outcomes.ts';
import { continuations } from './007-continuations.ts';
import { weights } from './008-weights.ts';
import { movedModels } from './009-moved-models.ts';
import { runSettings } from './010-run-settings.ts';
import { datasetDrafts } from './011-dataset-drafts.ts';

export interface Migration {
  name: string;
  sql: string;
}

export const migrations: readonly Migration[] = [
  { name: '001-runs', sql: runs },
  { name: '002-figures', sql: figures },
  { name: '003-labels', sql: labels },
  { name: '004-scores', sql: scores },
  { name: '005-projects', sql: projects },
  { name: '006-outcomes', sql: outcomes },
  { name: '007-continuations', sql: continuations },
  { name: '008-weights', sql: weights },
  { name: '009-moved-models', sql: movedModels },
  { name: '010-run-settings', sql: runSettings },
  { name: '011-dataset-drafts', sql: datasetDrafts },
];
