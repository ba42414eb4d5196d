/** What was deleted is listed until it is brought back; names are clean and of one project each; notes are not overwritten unseen. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cleanName } from '../../src-main/service/names.ts';
import { temporaryFolder } from '../database/support.ts';
import { openHost, specOf, whenState } from './support.ts';

test('everything that was deleted is listed, the last first, and goes from the list when it is restored', async () => {
  const folder = temporaryFolder();
  const { service } = await openHost(folder);
  const { run } = await service.startRun(specOf('finish'), { project: 1 });
  await whenState(service, run, 'finished');
  const { circuit } = await service.createCircuit(run, { name: 'Upper path', view: {} });
  const { id: spec } = await service.saveSpec({ project: 1, name: 'Baseline', spec: specOf('finish') });
  const { dataset } = await service.createDataset({ project: 1, name: 'Mine', kind: 'facts' });
  const path = join(folder, 'a-model');
  mkdirSync(path);
  writeFileSync(join(path, 'config.json'), '{}');
  const { model } = await service.addModel(1, path);
  const { project } = await service.createProject('Second');
  expect(await service.deleted()).toEqual([]);

  const steps: [string, string, () => Promise<unknown>, () => Promise<unknown>][] = [
    ['circuit', String(circuit), () => service.deleteCircuit(circuit), () => service.restoreCircuit(circuit)],
    ['spec', String(spec), () => service.deleteSpec(spec), () => service.restoreSpec(spec)],
    ['dataset', String(dataset), () => service.deleteDataset(dataset), () => service.restoreDataset(dataset)],
    ['model', String(model.id), () => service.removeModel(model.id), () => service.restoreModel(model.id)],
    ['project', String(project), () => service.deleteProject(project), () => service.restoreProject(project)],
  ];
  const listed = async () => (await service.deleted()).map(({ kind, id }) => `${kind} ${id}`);
  for (const [kind, id, remove] of steps) {
    await remove();
    expect(await listed(), kind).toContain(`${kind} ${id}`);
  }
  const things = await service.deleted();
  expect(things).toHaveLength(steps.length);
  expect(things.map(({ deleted }) => deleted)).toEqual([...things.map(({ deleted }) => deleted)].sort().reverse());
  expect(things.find(({ kind }) => kind === 'spec')).toMatchObject({ title: 'Baseline', project: 1, owner: 'First project' });
  for (const { deleted, until } of things) expect(Date.parse(until) - Date.parse(deleted)).toBe(30 * 24 * 60 * 60 * 1000);

  // A run takes its circuits along, and brings them back as they were
  await service.deleteRun(run);
  expect(await listed()).toContain(`run ${run}`);
  expect(await listed()).not.toContain(`circuit ${circuit}`);
  await service.restoreRun(run);
  for (const [kind, id, , restore] of steps) {
    await restore();
    expect(await listed(), kind).not.toContain(`${kind} ${id}`);
  }
  expect(await service.deleted()).toEqual([]);
});

test('what a deleted project owned, and a folder that was added again, are not offered', async () => {
  const folder = temporaryFolder();
  const { service } = await openHost(folder);
  const { project } = await service.createProject('Second');
  const { id } = await service.saveSpec({ project, name: 'Baseline', spec: specOf('finish') });
  const path = join(folder, 'a-model');
  mkdirSync(path);
  writeFileSync(join(path, 'config.json'), '{}');
  const first = await service.addModel(1, path);
  await service.removeModel(first.model.id);
  const second = await service.addModel(1, path);
  expect(await service.deleted()).toEqual([]);
  await service.removeModel(second.model.id);
  await service.deleteSpec(id);
  expect((await service.deleted()).map(({ kind, id: thing }) => [kind, thing])).toEqual(
    expect.arrayContaining([
      ['model', String(second.model.id)],
      ['spec', String(id)],
    ]),
  );
  await service.deleteProject(project);
  expect((await service.deleted()).map(({ kind }) => kind).sort()).toEqual(['model', 'project']);
});

test('two projects never have one name', async () => {
  const { service } = await openHost(temporaryFolder());
  const second = await service.createProject('first PROJECT');
  expect(second.name).toBe('first PROJECT (2)');
  const third = await service.createProject('Plans');
  await service.renameProject(third.project, 'First project');
  expect((await service.project(third.project)).name).toBe('First project (3)');
  await service.renameProject(third.project, 'plans');
  expect((await service.project(third.project)).name).toBe('plans');
  await service.deleteProject(third.project);
  await service.createProject('Plans');
  await service.restoreProject(third.project);
  expect((await service.project(third.project)).name).toBe('plans (2)');
  await expect(service.restoreProject(99)).rejects.toMatchObject({ code: 'ProjectNotFound' });
});

test('names have no unseen characters, whatever they name', async () => {
  expect(cleanName(' a\u202eb\tc\u0000d\u2066\r\n ')).toBe('ab c d');
  expect(cleanName('👩\u200d🔬 क्\u200dष')).toBe('👩\u200d🔬 क्\u200dष');
  const { service } = await openHost(temporaryFolder());
  const { project, name } = await service.createProject('gnp\u202egpj.x');
  expect(name).toBe('gnpgpj.x');
  await expect(service.renameProject(project, '\u202e\u200b ')).rejects.toMatchObject({ code: 'EmptyName' });
  const { dataset } = await service.createDataset({ project, name: 'My\u202e set\n', kind: 'facts' });
  expect((await service.dataset(dataset)).name).toBe('My set');
  const { id } = await service.saveSpec({ project, name: '\u200eBase', spec: specOf('finish') });
  expect((await service.spec(id)).name).toBe('Base');
  const { run } = await service.startRun(specOf('finish'));
  await whenState(service, run, 'finished');
  const { circuit } = await service.createCircuit(run, { name: 'Up\u0007per', view: {} });
  expect((await service.circuits(run)).find((one) => one.circuit === circuit)?.name).toBe('Up per');
});

test('notes are written over others only by who says so', async () => {
  const { service } = await openHost(temporaryFolder());
  await service.saveProjectNotes(1, 'one', '');
  await service.saveProjectNotes(1, 'two', 'one');
  await expect(service.saveProjectNotes(1, 'three', 'one')).rejects.toMatchObject({ code: 'NotesChanged' });
  // The same text again, as when an answer was lost on the way
  await service.saveProjectNotes(1, 'two', 'one');
  expect(await service.project(1)).toMatchObject({ notes: 'two', hasNotes: true });
  await service.saveProjectNotes(1, ' \n');
  expect((await service.projects())[0]?.hasNotes).toBe(false);
});
