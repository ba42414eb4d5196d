/**
 * `hopscope doctor`: what this machine has to compute with, each device tested, memory, disk, versions, and whether the data folder is sound.
 * It repairs and creates nothing.
 */
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { closeDatabase, openDatabase, sqliteVersion } from '../database/open.ts';
import { defaultThreads, knownDevices, selfTest } from '../engine/runtime/device.ts';
import { describeProgram } from '../service/about.ts';
import { databasePath } from '../service/data-folder.ts';
import { formatBytes } from '../shared/byte-count.ts';
import { errorRecord } from '../shared/errors.ts';
import type { DeviceReport } from '../shared/records.ts';
import type { Command } from './command.ts';
import { facts, table } from './text.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'test devices, memory, disk and the data folder',
  options: [],

  async run(_given, { dataFolder, installation, signal, print }) {
    const devices: DeviceReport[] = [];
    for (const device of await knownDevices()) {
      signal.throwIfAborted();
      devices.push(await selfTest(device, { file: installation.entry }));
    }
    const database = examineDatabase(dataFolder);
    const { resources } = installation;
    const { version, versions, memory } = describeProgram({ dataFolder, resources, sqlite: tryDatabase() });
    const disk = freeSpace(dataFolder);
    const shipped = {
      small_world: existsSync(join(resources, 'small-world', 'config.json')),
      workbench: existsSync(join(installation.rendererFolder, 'index.html')),
    };
    const { state, detail } = database;
    const result = {
      version,
      devices,
      threads: defaultThreads(),
      memory,
      disk,
      versions,
      data_folder: { path: dataFolder, database: state, detail },
      shipped,
      healthy: state !== 'damaged' && devices.some(({ available }) => available) && shipped.small_world,
    };
    const text = [
      table([
        ['device', 'usable', 'test'],
        ...devices.map((report) => [report.device, report.available ? 'yes' : 'no', report.detail]),
      ]),
      facts([
        ['threads', result.threads],
        ['memory', `${formatBytes(memory.available)} of ${formatBytes(memory.total)} free`],
        ['disk', `${formatBytes(disk.available)} of ${formatBytes(disk.total)} free`],
        ['data folder', dataFolder],
        ['database', `${state}${detail === '' ? '' : `: ${detail}`}`],
        ['small world', shipped.small_world],
        ['workbench built', shipped.workbench],
        ...Object.entries(result.versions),
      ]),
    ];
    print(result, text.join('\n\n'));
  },
};

/** Looks through the whole database, if there is one. */
function examineDatabase(folder: string): { state: 'none' | 'sound' | 'damaged'; detail: string } {
  const path = databasePath(folder);
  if (!existsSync(path)) return { state: 'none', detail: 'made by the first run' };
  try {
    closeDatabase(openDatabase(path, { check: true }));
    return { state: 'sound', detail: '' };
  } catch (error) {
    return { state: 'damaged', detail: errorRecord(error).message };
  }
}

/** SQLite's version, from a database made and removed again. Errors: those of `openDatabase`. */
function tryDatabase(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hopscope-doctor-'));
  try {
    const database = openDatabase(databasePath(folder));
    const version = sqliteVersion(database);
    closeDatabase(database);
    return version;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of the disk that the folder is, or would be, on. In bytes. */
function freeSpace(folder: string): { available: number; total: number } {
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, blocks, bsize } = statfsSync(existing);
  return { available: bavail * bsize, total: blocks * bsize };
}
