/** Projects, specs, runs' plans and the search through the service, over the made-up compute. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sealedText } from '../../src-main/shared/prediction-seal.ts';
import type { Json } from '../../src-main/shared/records.ts';
import { temporaryFolder } from '../database/support.ts';
import { openHost, specOf, whenState } from './support.ts';

test('a run belongs to the project it was started in, keeps its plan, and comes back after deletion', async () => {
  const { service } = await openHost(temporaryFolder());
  const { project } = await service.createProject('  Second  ');
  expect((await service.projects()).map(({ name }) => name)).toEqual(['Second', 'First project']);
  const plan = { project: 1, prediction: { measure: 'implications', below: 2 } };
  const { run } = await service.startRun(specOf('finish'), plan);
  const unsaid = await service.startRun(specOf('finish'));
  await whenState(service, run, 'finished');
  await whenState(service, unsaid.run, 'finished');
  expect(await service.run(run)).toMatchObject({ ...plan, notes: '' });
  expect((await service.run(unsaid.run)).project).toBe(project);
  expect((await service.runs({ limit: 5, offset: 0, project: 1 })).runs.map((one) => one.run)).toEqual([run]);
  expect((await service.project(1)).counts.runs).toBe(1);
  const told: string[] = [];
  service.onRunChanged((change) => told.push(change.run));
  await service.deleteRun(run);
  await expect(service.run(run)).rejects.toMatchObject({ code: 'RunNotFound' });
  await expect(service.steps(run)).rejects.toMatchObject({ code: 'RunNotFound' });
  await service.restoreRun(run);
  expect((await service.steps(run)).length).toBeGreaterThan(0);
  await service.saveRunNotes(run, '**seen**');
  expect([(await service.run(run)).notes, told]).toEqual(['**seen**', [run, run, run]]);
  await expect(service.saveRunNotes(run, 'mine', '')).rejects.toMatchObject({ code: 'NotesChanged' });
  await service.saveRunNotes(run, '**seen**', '');
  await service.saveRunNotes(run, 'mine', '**seen**');
  expect((await service.run(run)).notes).toBe('mine');
  await expect(service.startRun(specOf('finish'), { project: 99 })).rejects.toMatchObject({ code: 'ProjectNotFound' });
});

test('projects and specs are kept, found, and checked', async () => {
  const { service } = await openHost(temporaryFolder());
  const { project, opened } = await service.openProject(1);
  expect(opened <= new Date().toISOString()).toBe(true);
  await service.saveProjectNotes(project, '# Grafting');
  const { id } = await service.saveSpec({ project, name: ' Baseline ', spec: specOf('finish') });
  expect(await service.spec(id)).toMatchObject({ id, project, name: 'Baseline', spec: specOf('finish') });
  expect((await service.search('grafting')).map(({ kind }) => kind)).toEqual(['project']);
  expect((await service.search('base', { project })).map(({ kind }) => kind)).toEqual(['spec']);
  await service.deleteSpec(id);
  expect([await service.specs(project), await service.search('base')]).toEqual([[], []]);
  await service.restoreSpec(id);
  expect((await service.specs(project)).length).toBe(1);
  for (const attempt of [
    () => service.createProject('  '),
    () => service.renameProject(project, ''),
    () => service.saveSpec({ project, name: '', spec: specOf('finish') }),
  ])
    await expect(attempt()).rejects.toMatchObject({ code: 'EmptyName' });
  await expect(service.deleteProject(project)).rejects.toMatchObject({ code: 'LastProject' });
  await expect(service.saveSpec({ project: 99, name: 'x', spec: specOf('finish') })).rejects.toMatchObject({
    code: 'ProjectNotFound',
  });
});

test('in what a caller passes is typed', async () => {
  const { service } = await openHost(temporaryFolder());
  const loose = service as unknown as Record<string, (...values: unknown[]) => Promise<unknown>>;
  for (const member of ['project', 'openProject', 'deleteProject', 'specs', 'spec', 'deleteSpec', 'search'])
    for (const value of [undefined, null, {}, [], -1, 0.5, 'x'.repeat(5000)])
      await expect(loose[member]!(value), `${member} ${JSON.stringify(value)?.slice(0, 9)}`).rejects.toMatchObject({
        code: 'BadArgument',
      });
  for (const query of [{ state: 'lost' }, { project: '1' }, { search: 7 }, { limit: '3' }, 'all'])
    await expect(loose.runs!(query)).rejects.toMatchObject({ code: 'BadArgument' });
  await expect(loose.saveSpec!(null)).rejects.toMatchObject({ code: 'BadArgument' });
  await expect(loose.saveSpec!({ project: 1, name: 'x', spec: 'y' })).rejects.toMatchObject({ code: 'BadSpec' });
});

test('changes of what projects own are told, once stored, and only those', async () => {
  const { service } = await openHost(temporaryFolder());
  const told: string[] = [];
  const end = service.onProjectChanged(({ part }) => told.push(part));
  const { project } = await service.createProject('Second');
  const { id } = await service.saveSpec({ project, name: 'Baseline', spec: specOf('finish') });
  await service.deleteSpec(id);
  const { dataset } = await service.createDataset({ project, name: 'Mine', kind: 'facts' });
  await service.renameDataset(dataset, 'Ours');
  await service.projects();
  await service.specs(project);
  await expect(service.renameProject(project, ' ')).rejects.toMatchObject({ code: 'EmptyName' });
  expect(told).toEqual(['project', 'spec', 'spec', 'dataset', 'dataset']);
  end();
  await service.renameProject(project, 'Third');
  expect(told).toHaveLength(5);
});

test('a prediction is sealed with its time when the run is stored', async () => {
  const { service } = await openHost(temporaryFolder());
  const prediction = { set: 'implications', comparison: 'at most', threshold: 2, text: 'It generalizes.' };
  const { run } = await service.startRun(specOf('finish'), { prediction });
  const detail = await service.run(run);
  const { seal, ...words } = detail.prediction as { [name: string]: Json };
  expect(words).toEqual(prediction);
  const text = sealedText(run, detail.created, prediction);
  expect(seal).toEqual({ time: detail.created, hash: createHash('sha256').update(text).digest('hex') });
  // Another number, another run or another time does not fit it
  const texts = [
    sealedText(run, detail.created, { ...prediction, threshold: 3 }),
    sealedText('other', detail.created, prediction),
    sealedText(run, '2026-01-01T00:00:00.000Z', prediction),
  ];
  expect(new Set([text, ...texts]).size).toBe(4);
  expect(sealedText(run, detail.created, { ...prediction, seal: seal! })).toBe(text);
  const unworded = await service.startRun(specOf('finish'), { prediction: 'in words alone' });
  expect((await service.run(unworded.run)).prediction).toBe('in words alone');
  await whenState(service, run, 'finished');
  await whenState(service, unworded.run, 'finished');
});
