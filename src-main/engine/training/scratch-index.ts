/**
 * The record of a scratch folder: which training it belongs to, how far that has come, and which files count. It is replaced whole, so that after
 * a crash at any moment the folder holds a state to go on from; what the files hold is scratch-state.ts's.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HopscopeError } from '../../shared/errors.ts';
import type { BackwardState } from '../execution/gradient-sink.ts';
import { SafetensorsFile, writeSafetensors } from '../files/safetensors.ts';
import { isJsonObject, readJson } from '../files/strict-json.ts';
import { writeAll, writeFileWhole } from '../files/write-whole.ts';
import { type FloatTensor, floatTensor } from '../tensor.ts';
import type { TrainedRow } from './scratch-tensors.ts';

export interface ScratchRecord {
  /** What identifies the training. */
  key: string;
  /** Steps that are done. */
  steps: number;
  /** Of every step done. */
  losses: number[];
  /** By part: the step after which its file was written. */
  files: Record<string, number>;
  /** By matrix: the file of its trained rows. */
  rows: Record<string, string>;
  /** A step under way: where its backward pass stands. */
  boundary: { file: string; loss: number; layer: number; nextRow: number | null } | null;
}

const recordName = 'state.json';
const maximumBytes = 1 << 24;

/**
 * The record of a folder; that of a training that is about to begin where there is none, written before anything else is. Errors: `ScratchInUse`
 * when the folder holds something else or another training's state; `CannotWrite`.
 */
export function openRecord(folder: string, key: string): ScratchRecord {
  const path = join(folder, recordName);
  if (!existsSync(path)) {
    // A crash may have left the record half written under its temporary name
    if (existsSync(folder) && readdirSync(folder).some((name) => !name.includes(recordName))) {
      throw new HopscopeError(
        'ScratchInUse',
        `${folder} is not empty and holds no training to go on with; choose another folder.`,
      );
    }
    mkdirSync(folder, { recursive: true });
    const record: ScratchRecord = { key, steps: 0, losses: [], files: {}, rows: {}, boundary: null };
    writeRecord(folder, record);
    return record;
  }
  const value = readJson(path, { maximumBytes, file: path });
  if (!isJsonObject(value) || value.key !== key) {
    throw new HopscopeError(
      'ScratchInUse',
      `${folder} holds the state of another training (another model, plan or version of either). Remove the folder to begin anew, or choose another one.`,
    );
  }
  return value as unknown as ScratchRecord;
}

/** Errors: `CannotWrite`. */
export function writeRecord(folder: string, record: ScratchRecord): void {
  writeFileWhole(join(folder, recordName), (descriptor) => writeAll(descriptor, Buffer.from(JSON.stringify(record))));
}

/** Removes files that no longer count. */
export function removeFiles(folder: string, names: Iterable<string>): void {
  for (const name of names) rmSync(join(folder, name), { force: true });
}

/** Removes whatever the record does not name: what a crash left behind. */
export function removeStrangers(folder: string, { files, rows, boundary }: ScratchRecord): void {
  const known = new Set([
    recordName,
    ...Object.values(rows),
    ...Object.entries(files).map(([part, step]) => `${part}.step-${step}`),
  ]);
  if (boundary) known.add(boundary.file);
  removeFiles(
    folder,
    readdirSync(folder).filter((name) => !known.has(name)),
  );
}

/** Writes how far a backward pass has come; returns its entry of the record. */
export function writeBoundary(folder: string, step: number, state: BackwardState): NonNullable<ScratchRecord['boundary']> {
  const { loss, layer, dy, remainder } = state;
  const nextRow = remainder?.nextRow ?? null;
  const file = `boundary.step-${step}.${layer}.${nextRow ?? 0}`;
  const tensors = new Map([['dy', dy]]);
  if (remainder) {
    tensors.set('normed', remainder.normed);
    tensors.set('dlogits', remainder.dlogits);
  }
  writeSafetensors(join(folder, file), tensors);
  return { file, loss, layer, nextRow };
}

export function readBoundary(
  folder: string,
  { file, loss, layer, nextRow }: NonNullable<ScratchRecord['boundary']>,
): BackwardState {
  const tensors = readTensors(join(folder, file));
  const remainder = nextRow === null ? null : { normed: tensors.get('normed')!, dlogits: tensors.get('dlogits')!, nextRow };
  return { loss, layer, dy: tensors.get('dy')!, remainder };
}

/** Writes the trained rows of a matrix; returns the file's name. */
export function writeRows(folder: string, name: string, step: number, trained: ReadonlyMap<number, TrainedRow>): string {
  const file = `${name}.rows.step-${step}`;
  const width = [...trained.values()][0]?.weight.length ?? 0;
  const stacked = (of: (row: TrainedRow) => Float32Array) => {
    const tensor = floatTensor([trained.size, width]);
    [...trained.values()].forEach((row, index) => {
      tensor.data.set(of(row), index * width);
    });
    return tensor;
  };
  writeSafetensors(
    join(folder, file),
    new Map<string, FloatTensor | { type: 'int32'; shape: number[]; data: Int32Array }>([
      ['rows', { type: 'int32', shape: [trained.size], data: Int32Array.from(trained.keys()) }],
      ['weight', stacked(({ weight }) => weight)],
      ['m', stacked(({ m }) => m)],
      ['v', stacked(({ v }) => v)],
    ]),
  );
  return file;
}

export function readRows(folder: string, file: string): Map<number, TrainedRow> {
  const opened = SafetensorsFile.open(join(folder, file));
  try {
    const rows = opened.read('rows').data as Int32Array;
    const [weight, m, v] = ['weight', 'm', 'v'].map((name) => opened.read(name).data as Float32Array);
    const width = weight!.length / Math.max(rows.length, 1);
    return new Map(
      Array.from(rows, (row, index) => {
        const own = (values: Float32Array) => values.slice(index * width, (index + 1) * width);
        return [row, { weight: own(weight!), m: own(m!), v: own(v!) }];
      }),
    );
  } finally {
    opened.close();
  }
}

function readTensors(path: string): Map<string, FloatTensor> {
  const file = SafetensorsFile.open(path);
  try {
    return new Map([...file.tensors.keys()].map((name) => [name, file.read(name) as FloatTensor]));
  } finally {
    file.close();
  }
}
