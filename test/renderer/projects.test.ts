/** Projects, notices, shortcuts and the palette's commands over the fake host. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProjectSummary, SearchHit } from '../../src-main/shared/contract-projects.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { type Command, commandsOf, filterCommands } from '../../src-renderer/components/palette/commands.ts';
import { findProjects, type ProjectOrder } from '../../src-renderer/components/projects/project-search.ts';
import { deleteSpec } from '../../src-renderer/state/change-spec.ts';
import { deleteRun, deleteRuns } from '../../src-renderer/state/delete-run.ts';
import { openHit } from '../../src-renderer/state/open-hit.ts';
import { Palette } from '../../src-renderer/state/palette.svelte.ts';
import { Projects } from '../../src-renderer/state/projects.svelte.ts';
import { renameRun } from '../../src-renderer/state/rename-run.ts';
import { matchAddress, readAddress } from '../../src-renderer/state/router.svelte.ts';
import { type ShortcutActions, ShortcutReader } from '../../src-renderer/state/shortcuts.ts';
import { switchProject } from '../../src-renderer/state/switch-project.ts';
import { Toasts } from '../../src-renderer/state/toasts.svelte.ts';
import type { Workbench } from '../../src-renderer/state/workbench.ts';
import { createFakeService } from './fake-host.ts';

describe('Projects', () => {
  async function opened(scenario: 'empty' | 'full' = 'full') {
    const service = createFakeService(scenario);
    const toasts = new Toasts();
    const projects = new Projects(() => service, toasts);
    expect(projects.ready).toBe(false);
    expect(() => projects.current).toThrow();
    await projects.refresh();
    return { service, toasts, projects };
  }

  it('begins with the one looked at last, and keeps it whatever is opened elsewhere', async () => {
    const { service, projects } = await opened();
    expect(projects.current).toMatchObject({ id: 1, name: 'First project' });
    expect([projects.recent.length, projects.archived.length]).toEqual([2, 1]);
    await service.openProject(3);
    await projects.refresh();
    expect(projects.current.id).toBe(1);
    expect(projects.recent.map(({ project }) => project)).toEqual([3, 1]);
  });

  it('creates, renames, and says what did not work', async () => {
    const { projects, toasts } = await opened('empty');
    // At no moment is there no current project: every screen would be taken down and put up again.
    const created = projects.create('  Second ');
    for (let turn = 0; turn < 20; turn++) {
      expect(projects.ready).toBe(true);
      await Promise.resolve();
    }
    expect(await created).toBe(true);
    expect(projects.current.name).toBe('Second');
    expect(await projects.rename(projects.current.id, 'Renamed')).toBe(true);
    expect(projects.current.name).toBe('Renamed');
    expect(await projects.rename(99, 'x')).toBe(false);
    expect(toasts.shown.at(-1)).toMatchObject({ kind: 'error', text: expect.stringContaining('ProjectNotFound') });
  });

  it('a new name can be taken back, and a name that was numbered is said', async () => {
    const { service, projects, toasts } = await opened();
    await projects.rename(1, 'Other words');
    expect([projects.current.name, toasts.shown.at(-1)?.text]).toEqual([
      'Other words',
      '“First project” is named “Other words” now.',
    ]);
    toasts.actOnNewest();
    await vi.waitFor(() => expect(projects.current.name).toBe('First project'));
    await projects.rename(1, 'First project');
    expect(toasts.shown).toHaveLength(0);
    service.createProject = async (name) => {
      const { project } = await service.project(3);
      await service.renameProject(project, `${name} (2)`);
      return service.project(project);
    };
    await projects.create('First project');
    expect(toasts.shown.at(-1)?.text).toBe('There is a project “First project” already: this one is “First project (2)”.');
  });

  it('says that another window deleted the current one, and goes back when it is restored', async () => {
    const { service, projects, toasts } = await opened();
    await service.deleteProject(1);
    await projects.refresh();
    expect(projects.current.id).toBe(3);
    expect(toasts.shown).toMatchObject([
      {
        text: '“First project” was deleted in another window. This is “Weight grafting in the upper layers”.',
        action: { label: 'Bring it back' },
      },
    ]);
    await projects.refresh();
    expect(toasts.shown).toHaveLength(1);
    await service.restoreProject(1);
    await projects.refresh();
    expect([projects.current.id, toasts.shown.at(-1)?.text]).toEqual([1, '“First project” is back.']);
    // Brought back from here
    await service.deleteProject(1);
    await projects.refresh();
    await toasts.act(toasts.shown.findLast(({ action }) => action !== undefined)!.id);
    await vi.waitFor(() => expect(projects.current.id).toBe(1));
    // Whoever opened another one meanwhile stays there
    await service.deleteProject(1);
    await projects.refresh();
    await projects.create('Elsewhere');
    await service.restoreProject(1);
    await projects.refresh();
    expect(projects.current.name).toBe('Elsewhere');
  });

  it('deletes the current one, goes to the one before, and back when it is undone', async () => {
    const { projects, toasts } = await opened();
    await projects.delete(projects.current.summary);
    expect(projects.current.id).toBe(3);
    toasts.actOnNewest();
    await vi.waitFor(() => expect(projects.current.id).toBe(1));
    await projects.archive(projects.current.summary, true);
    expect([projects.current.id, projects.archived.length]).toEqual([1, 2]);
    toasts.actOnNewest();
    await vi.waitFor(() => expect(projects.archived.length).toBe(1));
  });

  it('says nothing of a line that is down', async () => {
    const toasts = new Toasts();
    const service = createFakeService('empty');
    const cut = { ...service, projects: () => Promise.reject(new HopscopeError('Disconnected', '', 'failure')) };
    const projects = new Projects(() => cut, toasts);
    await projects.refresh();
    expect([projects.error, projects.ready]).toEqual([null, false]);
  });

  it.each([
    ['/runs', '/runs'],
    ['/', '/'],
    ['/runs/a', '/'],
    ['/projects', '/'],
  ])('opened from %s leads to %s', async (path, expected) => {
    const { projects } = await opened();
    const router = {
      path,
      go(address: string) {
        router.path = address;
      },
    };
    const workbench = { projects, router } as unknown as Workbench;
    expect(await switchProject(workbench, 3)).toBe(true);
    expect([router.path, projects.current.id]).toEqual([expected, 3]);
    expect(await switchProject(workbench, 99, '/runs/b')).toBe(false);
    expect(router.path).toBe(expected);
  });
});

describe('what is found', () => {
  it.each([
    ['project', '3', 3, '/'],
    ['run', 'a b', 3, '/runs/a%20b'],
    ['model', '7', 3, '/models/7'],
    ['dataset', '5', 3, '/datasets/5'],
    ['spec', '1', 1, '/new/ocr?spec=1'],
    ['circuit', 'run-1/4', 3, '/runs/run-1/circuit?circuit=4'],
  ] as const)('is opened in its project at an address that is a screen: %s', async (kind, id, project, expected) => {
    const service = createFakeService('full');
    const toasts = new Toasts();
    const projects = new Projects(() => service, toasts);
    await projects.refresh();
    const gone: string[] = [];
    const router = { path: '/projects', go: (address: string) => gone.push(address) };
    await openHit({ service, toasts, projects, router } as unknown as Workbench, { kind, id, project });
    expect([gone, projects.current.id, toasts.shown]).toEqual([[expected], project, []]);
    const { path } = readAddress(`#${expected}`);
    const screens = readFileSync(new URL('../../src-renderer/screens.ts', import.meta.url), 'utf8');
    const addresses = [...screens.matchAll(/address: '([^']+)'/g)].map(([, address = '']) => address);
    expect(addresses.some((address) => matchAddress(address, path) !== null)).toBe(true);
  });

  it('is said where it is gone', async () => {
    const service = createFakeService('full');
    const toasts = new Toasts();
    const projects = new Projects(() => service, toasts);
    await projects.refresh();
    const workbench = { service, toasts, projects } as unknown as Workbench;
    await openHit(workbench, { kind: 'spec', id: '99', project: 1 });
    expect(toasts.shown.at(-1)?.text).toMatch(/^It could not be opened\. .*\(SpecNotFound\)$/);
  });
});

describe('a line that broke', () => {
  it('is no longer asked by what takes something back', async () => {
    const service = createFakeService('full');
    const toasts = new Toasts();
    const workbench = { service: { ...service }, toasts };
    const [spec] = await service.specs(1);
    const runs = async () => (await service.runs({ limit: 50, offset: 0 })).runs;
    const before = await runs();
    const { run, title } = before.find(({ state }) => state === 'finished')!;
    expect(await renameRun(workbench, { run, title }, 'Other words')).toBe(true);
    expect(await deleteSpec(workbench, spec!)).toBe(true);
    const cut = () => Promise.reject(new HopscopeError('Disconnected', 'The line is down.', 'failure'));
    const offered = toasts.shown.map(({ id }) => id);
    expect(await deleteRun(workbench, { run: 'run-failed', title: 'Failed' })).toBe(true);
    expect(await deleteRuns(workbench, ['run-stopped', 'run-midway'])).toEqual(['run-stopped']);
    offered.push(...toasts.shown.slice(-2).map(({ id }) => id));
    expect((await runs()).length).toBe(before.length - 2);
    Object.assign(workbench.service, { renameRun: cut, restoreSpec: cut, restoreRun: cut, restoreRuns: cut });
    workbench.service = service;
    for (const id of offered) await toasts.act(id);
    expect(toasts.shown).toEqual([]);
    expect([(await runs()).map((one) => [one.run, one.title]), (await service.specs(1)).length]).toEqual([
      before.map((one) => [one.run, one.title]),
      1,
    ]);
  });
});

describe('Toasts', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('go by themselves, later where they offer something, and never while they are looked at', () => {
    const toasts = new Toasts();
    toasts.show({ text: 'plain' });
    toasts.show({ text: 'offer', action: { label: 'Undo', run: () => {} } });
    vi.advanceTimersByTime(5000);
    expect(toasts.shown.map(({ text }) => text)).toEqual(['offer']);
    toasts.hold();
    vi.advanceTimersByTime(60_000);
    expect(toasts.shown).toHaveLength(1);
    toasts.release();
    vi.advanceTimersByTime(10_000);
    expect(toasts.shown).toEqual([]);
    expect(toasts.actOnNewest()).toBe(false);
  });

  it('say what did not work and give what did', async () => {
    const toasts = new Toasts();
    expect(await toasts.attempt('It failed.', async () => 3)).toBe(3);
    expect(await toasts.attempt('It failed.', async () => {})).toBeUndefined();
    expect(toasts.shown).toEqual([]);
    const gone = () => Promise.reject(new HopscopeError('RunNotFound', 'It is gone.'));
    expect(await toasts.attempt('It failed.', gone)).toBeNull();
    expect(toasts.shown).toMatchObject([{ kind: 'error', text: 'It failed. It is gone. (RunNotFound)' }]);
  });

  it('are four at the most, act once, and say where acting failed', async () => {
    const toasts = new Toasts();
    for (let index = 0; index < 6; index++) toasts.show({ text: String(index) });
    expect(toasts.shown.map(({ text }) => text)).toEqual(['2', '3', '4', '5']);
    const run = vi.fn(() => Promise.reject(new HopscopeError('RunNotFound', 'It is gone.')));
    const id = toasts.show({ text: 'Deleted.', action: { label: 'Undo', run } });
    await Promise.all([toasts.act(id), toasts.act(id)]);
    expect(run).toHaveBeenCalledTimes(1);
    expect(toasts.shown.at(-1)?.text).toBe('Undo did not work. It is gone. (RunNotFound)');
  });
});

describe('shortcuts', () => {
  function reader(singleKeys = true) {
    const done: string[] = [];
    const actions: ShortcutActions = {
      palette: () => void done.push('palette'),
      shortcuts: () => void done.push('sheet'),
      go: (letter) => done.push(letter) > 0 && letter !== 'x',
      undo: () => done.push('undo') > 0,
      singleKeys: () => singleKeys,
    };
    const keys = new ShortcutReader(actions);
    const press = (key: string, now = 0, more: Partial<KeyboardEvent> = {}) => {
      const event = { key, target: null, preventDefault: vi.fn(), ...more } as unknown as KeyboardEvent;
      keys.press(event, now);
      return vi.mocked(event.preventDefault).mock.calls.length > 0;
    };
    return { done, press };
  }

  it('Ctrl or Cmd with K, pairs with G, and the question mark', () => {
    const { done, press } = reader();
    expect([press('k', 0, { ctrlKey: true }), press('K', 0, { metaKey: true }), press('k')]).toEqual([true, true, false]);
    expect([press('g', 0), press('r', 1000)]).toEqual([true, true]);
    expect([press('g', 5000), press('r', 9000), press('?', 9001)]).toEqual([true, false, true]);
    expect([press('g', 20_000), press('x', 20_001), press('z', 0, { ctrlKey: true })]).toEqual([true, false, true]);
    expect(done).toEqual(['palette', 'palette', 'r', 'sheet', 'x', 'undo']);
  });

  it('Ctrl+Z is a field’s own only where something was typed in it', () => {
    const keys: string[] = [];
    const shortcuts = new ShortcutReader({
      palette: () => {},
      shortcuts: () => {},
      go: () => false,
      undo: () => keys.push('undo') > 0,
      singleKeys: () => true,
    });
    const field = (inside = '') =>
      ({ closest: (selector: string) => (inside !== '' && selector.includes(inside) ? {} : null) }) as unknown as EventTarget;
    const undo = (target: EventTarget) =>
      shortcuts.press({ key: 'z', ctrlKey: true, target, preventDefault: () => {} } as unknown as KeyboardEvent, 0);
    const [untouched, written] = [field('textarea'), field('textarea')];
    shortcuts.typed({ target: written } as Event);
    undo(untouched);
    undo(field('grid'));
    expect(keys).toHaveLength(2);
    undo(written);
    undo(field('[role="dialog"]'));
    expect(keys).toHaveLength(2);
  });

  it('do nothing that somebody else did, with Alt, while a word is composed, or switched off', () => {
    const { done, press } = reader(false);
    press('k', 0, { ctrlKey: true, defaultPrevented: true });
    press('k', 0, { ctrlKey: true, altKey: true });
    press('k', 0, { ctrlKey: true, isComposing: true });
    press('K', 0, { ctrlKey: true, shiftKey: true });
    press('?');
    press('g');
    press('r', 1);
    expect(done).toEqual([]);
  });
});

it('the palette offers what the screen that is shown can do, as long as it is shown', async () => {
  const service = createFakeService('full');
  const projects = new Projects(() => service, new Toasts());
  await projects.refresh();
  const view = { localStorage: { getItem: () => null } } as unknown as Window;
  const palette = new Palette(view);
  const chosen: string[] = [];
  const theme = { contrast: 'more', chooseContrast: (choice: string) => chosen.push(choice) };
  const workbench = { router: {}, projects, theme, palette } as unknown as Workbench;
  const dialogs = { create: () => chosen.push('create'), rename: () => chosen.push('rename') };
  const titles = (text: string) => filterCommands(commandsOf(workbench, [], [], dialogs), text).map(({ title }) => title);
  const end = palette.offer(() => [{ title: 'Add models …', icon: 'add', run: () => chosen.push('add') }]);
  expect(commandsOf(workbench, [], [], dialogs)[0]).toMatchObject({ group: 'On this screen', title: 'Add models …' });
  expect(titles('add models')).toEqual(['Add models …']);
  expect(titles('contrast')).toEqual(['Contrast as the system', 'Standard contrast']);
  expect(titles('this project')).toEqual(['Rename this project …', 'Archive this project']);
  filterCommands(commandsOf(workbench, [], [], dialogs), 'standard contrast')[0]!.run();
  filterCommands(commandsOf(workbench, [], [], dialogs), 'rename')[0]!.run();
  expect(chosen).toEqual(['standard', 'rename']);
  end();
  expect(titles('add models')).toEqual([]);
});

it("the palette's commands are found by all words, the title's beginning first", () => {
  const command = (title: string, group: string): Command => ({ id: title, title, group, icon: 'right', run: () => {} });
  const commands = [command('Home', 'Go to'), command('Dark theme', 'Appearance'), command('New home', 'Projects')];
  const found = (text: string) => filterCommands(commands, text).map(({ title }) => title);
  expect(found('')).toEqual(['Home', 'Dark theme', 'New home']);
  expect(found('HOME')).toEqual(['Home', 'New home']);
  expect(found('appear dark')).toEqual(['Dark theme']);
  expect(found('go dark')).toEqual([]);
});

describe('findProjects', () => {
  const project = (id: number, name: string, opened: string, active: string): ProjectSummary => ({
    project: id,
    name,
    created: '2026-01-01',
    opened,
    archived: null,
    active,
    counts: { runs: 0, models: 0, datasets: 0, specs: 0 },
    hasNotes: false,
  });
  const list = [
    project(1, 'Grafting 10', '2026-03', '2026-02'),
    project(2, 'grafting 9', '2026-02', '2026-05'),
    project(3, 'Other', '2026-01', '2026-01'),
  ];
  const hit = (values: Partial<SearchHit>): SearchHit => ({
    kind: 'run',
    id: 'a',
    title: 'OCR',
    detail: '',
    project: 3,
    excerpt: null,
    ...values,
  });
  const found = (text: string, hits: SearchHit[] = [], order: ProjectOrder = 'opened') =>
    findProjects(list, text, hits, order).map((each) => [each.project.project, each.hits.length]);

  it('shows all without words, in the order asked for', () => {
    expect(found('')).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
    expect(found('  ', [hit({})], 'active')).toEqual([
      [2, 0],
      [1, 0],
      [3, 0],
    ]);
    expect(found('', [], 'name')).toEqual([
      [2, 0],
      [1, 0],
      [3, 0],
    ]);
  });

  it('shows those named so first, then those in which something was found', () => {
    const hits = [hit({}), hit({ id: 'b', project: 1 }), hit({ kind: 'project', id: '2', project: 2 })];
    expect(found('graft', hits)).toEqual([
      [1, 1],
      [2, 0],
      [3, 1],
    ]);
    expect(found('ocr', hits)).toEqual([
      [1, 1],
      [3, 1],
    ]);
    expect(found('ocr', [hit({ kind: 'project', project: 2, excerpt: '… ocr …' })])).toEqual([[2, 1]]);
    expect(found('nowhere')).toEqual([]);
  });
});
