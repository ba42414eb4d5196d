/**
 * THE list of pictures: every screen and its main states, with how to get there over the fake host. The test of looks stores and
 * compares them, screenshots.ts makes them for looking at; neither says here what is right.
 */
import type { Page } from 'playwright';
import type { Scenario } from './fake-server.ts';
import { dataShots } from './shots-data.ts';
import { projectShots } from './shots-projects.ts';
import { runShots } from './shots-runs.ts';
import { wizardShots } from './shots-wizard.ts';

export interface Shot {
  /** Unique; the picture's file begins with it. */
  name: string;
  scenario: Scenario;
  /** Where it is, with the `#`. */
  hash: string;
  /** What is done there before the picture. */
  act?: (page: Page) => Promise<unknown>;
  /** Also pictured in the smallest window. */
  narrow?: true;
  /** Also pictured at its whole length. */
  whole?: true;
  /** Also pictured with high contrast. */
  contrast?: true;
}

/** The first one of a screen is the one that is walked through by keyboard. */
export const shots: readonly Shot[] = [...projectShots, ...runShots, ...wizardShots, ...dataShots];
