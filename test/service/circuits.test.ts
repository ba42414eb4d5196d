/** The circuit explorer's members over a real host: what comes over the port is checked before it is stored. */
import { expect, test } from 'vitest';
import type { ComponentQuery } from '../../src-main/shared/contract-circuits.ts';
import { temporaryFolder } from '../database/support.ts';
import { openHost, specOf, whenState } from './support.ts';

test('a circuit is saved, renamed, deleted and brought back, and outlives the program', async () => {
  const folder = temporaryFolder();
  const host = await openHost(folder);
  const { run } = await host.service.startRun(specOf('finish', { steps: 1 }));
  await whenState(host.service, run);
  const { circuit } = await host.service.createCircuit(run, { name: ' recall ', view: { pins: [] } });
  await host.service.changeCircuit(circuit, { name: 'recall of cities' });
  await host.service.changeCircuit(circuit, { view: { pins: ['mlp.0.t1'] } });
  await host.service.deleteCircuit(circuit);
  expect(await host.service.circuits(run)).toEqual([]);
  await host.service.restoreCircuit(circuit);
  await host.close();
  const { service } = await openHost(folder);
  expect(await service.circuits(run)).toMatchObject([{ circuit, name: 'recall of cities', view: { pins: ['mlp.0.t1'] } }]);
  expect(await service.scoreListing(run)).toEqual([]);
  expect(await service.scoredRuns()).toEqual([]);
});

test('what makes no sense is refused by name', async () => {
  const { service } = await openHost(temporaryFolder());
  const { run } = await service.startRun(specOf('finish', { steps: 1 }));
  const bad = { code: 'BadArgument' };
  await expect(service.createCircuit(run, { name: ' ', view: {} })).rejects.toMatchObject({ code: 'EmptyName' });
  await expect(service.createCircuit(run, { name: 'x', view: 'y'.repeat(2 ** 20) })).rejects.toMatchObject(bad);
  await expect(service.deleteCircuit('1' as unknown as number)).rejects.toMatchObject(bad);
  await expect(service.deleteCircuit(77)).rejects.toMatchObject({ code: 'CircuitNotFound' });
  await expect(service.scoreListing('nowhere')).rejects.toMatchObject({ code: 'RunNotFound' });
  const query: ComponentQuery = { stage: 'finetune', names: ['upstream.mlp'], layer: 0, head: null };
  await expect(service.componentScores(run, { ...query, layer: -1 })).rejects.toMatchObject(bad);
  await expect(service.componentScores(run, { ...query, names: [1] as unknown as string[] })).rejects.toMatchObject(bad);
  expect(await service.componentScores(run, query)).toEqual([]);
});
