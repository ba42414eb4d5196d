/** Pictures of home, projects, settings, and of what lies over every screen: palette, menus, dialogs, notices. */
import type { Shot } from './shots.ts';

export const projectShots: readonly Shot[] = [
  { name: 'home', scenario: 'full', hash: '#/', whole: true, narrow: true, contrast: true },
  { name: 'home-empty', scenario: 'empty', hash: '#/' },
  {
    name: 'home-menu',
    scenario: 'full',
    hash: '#/',
    act: (page) => page.getByRole('button', { name: /^Project:/ }).click(),
  },
  {
    name: 'home-notes',
    scenario: 'full',
    hash: '#/',
    act: (page) => page.getByRole('button', { name: /^(Write|Edit) notes|^Edit$/ }).click(),
  },
  { name: 'palette', scenario: 'full', hash: '#/', contrast: true, act: (page) => page.keyboard.press('Control+k') },
  {
    name: 'palette-found',
    scenario: 'full',
    hash: '#/',
    async act(page) {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Command or search' }).fill('ordering');
      await page.getByRole('option', { name: /dax and wug/ }).waitFor();
    },
  },
  { name: 'shortcuts', scenario: 'full', hash: '#/runs/run-extractive-scores/circuit', act: (page) => page.keyboard.press('?') },
  { name: 'projects', scenario: 'full', hash: '#/projects', act: (page) => page.getByText('1 archived project').click() },
  { name: 'projects-one', scenario: 'empty', hash: '#/projects' },
  {
    name: 'projects-new',
    scenario: 'full',
    hash: '#/projects',
    act: (page) =>
      page
        .getByRole('main')
        .getByRole('button', { name: /New project/ })
        .click(),
  },
  { name: 'settings', scenario: 'full', hash: '#/settings', whole: true, contrast: true },
  { name: 'no-such-screen', scenario: 'full', hash: '#/nowhere' },
];
