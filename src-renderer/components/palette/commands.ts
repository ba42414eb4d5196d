/**
 * What the command palette offers before anything is searched for: screens, projects, experiments, appearance, help.
 * Things that are found in the data folder are in hits.ts.
 */
import type { ExperimentDescription } from '../../../src-main/shared/records.ts';
import type { Screen } from '../../screens.ts';
import { experimentAddress } from '../../state/router.svelte.ts';
import { switchProject } from '../../state/switch-project.ts';
import type { ContrastChoice } from '../../state/theme.svelte.ts';
import type { Workbench } from '../../state/workbench.ts';
import { hasWords, searchWords } from '../../text/search-words.ts';
import type { IconName } from '../icons.ts';

export interface Command {
  id: string;
  /** The heading it is listed under. */
  group: string;
  title: string;
  detail?: string;
  icon: IconName;
  /** Keys that do the same. */
  keys?: string;
  run: () => void;
}

const mostProjects = 8;

/** What is asked for in a dialog first. */
export interface ProjectDialogs {
  create: () => void;
  rename: () => void;
}

const contrasts: { choice: ContrastChoice; title: string }[] = [
  { choice: 'standard', title: 'Standard contrast' },
  { choice: 'more', title: 'High contrast' },
  { choice: 'system', title: 'Contrast as the system' },
];

/** In the order in which they are listed; commands of one group are next to each other. */
export function commandsOf(
  workbench: Workbench,
  screens: readonly Screen[],
  experiments: readonly ExperimentDescription[],
  dialogs: ProjectDialogs,
): Command[] {
  const { router, projects, theme, palette } = workbench;
  const { summary } = projects.current;
  return [
    ...palette.screenCommands.map((command) => ({ ...command, id: `here ${command.title}`, group: 'On this screen' })),
    ...screens
      .filter(({ icon }) => icon !== undefined)
      .map(({ id, title, address, icon, letter }) => ({
        id: `screen ${id}`,
        group: 'Go to',
        title,
        icon: icon ?? 'right',
        ...(letter === undefined ? {} : { keys: pairOf(letter) }),
        run: () => router.go(address),
      })),
    ...projects.recent
      .filter(({ project }) => project !== projects.current.id)
      .slice(0, mostProjects)
      .map(({ project, name }) => ({
        id: `project ${project}`,
        group: 'Projects',
        title: name,
        icon: 'folder' as const,
        run: () => void switchProject(workbench, project),
      })),
    { id: 'new project', group: 'Projects', title: 'New project …', icon: 'add', run: dialogs.create },
    {
      id: 'rename project',
      group: 'Projects',
      title: 'Rename this project …',
      detail: summary.name,
      icon: 'pencil',
      run: dialogs.rename,
    },
    {
      id: 'archive project',
      group: 'Projects',
      title: summary.archived === null ? 'Archive this project' : 'Bring this project back from the archive',
      detail: summary.name,
      icon: 'archive',
      run: () => void projects.archive(summary, summary.archived === null),
    },
    ...experiments.map(({ id, title, question }) => ({
      id: `experiment ${id}`,
      group: 'Start an experiment',
      title,
      detail: question,
      icon: 'add' as const,
      run: () => router.go(experimentAddress(id)),
    })),
    { id: 'light', group: 'Appearance', title: 'Light theme', icon: 'contrast', run: () => theme.choose('light') },
    { id: 'dark', group: 'Appearance', title: 'Dark theme', icon: 'contrast', run: () => theme.choose('dark') },
    { id: 'system', group: 'Appearance', title: 'Theme as the system', icon: 'contrast', run: () => theme.choose('system') },
    ...contrasts
      .filter(({ choice }) => choice !== theme.contrast)
      .map(({ choice, title }) => ({
        id: `contrast ${choice}`,
        group: 'Appearance',
        title,
        icon: 'contrast' as const,
        run: () => theme.chooseContrast(choice),
      })),
    {
      id: 'shortcuts',
      group: 'Help',
      title: 'Keyboard shortcuts',
      icon: 'keyboard',
      keys: '?',
      run: () => {
        palette.shortcutsOpen = true;
      },
    },
  ];
}

/** `G then R`. */
export function pairOf(letter: string): string {
  return `G then ${letter.toUpperCase()}`;
}

/** Commands that have every word of `text` in their title or group, those whose title begins with it first; grouped. */
export function filterCommands(commands: readonly Command[], text: string): Command[] {
  const words = searchWords(text);
  const grade = ({ title }: Command) => (title.toLowerCase().startsWith(words.join(' ')) ? 0 : 1);
  const fits = ({ title, group }: Command) => hasWords(`${title} ${group}`, words);
  return grouped(commands.filter(fits).sort((one, other) => grade(one) - grade(other)));
}

/** Commands of one group next to each other, the group of the first one first. */
export function grouped(commands: readonly Command[]): Command[] {
  const groups = [...new Set(commands.map(({ group }) => group))];
  return groups.flatMap((name) => commands.filter(({ group }) => group === name));
}
