/**
 * Finds model folders on this machine: sub-folders of a folder, a scan below one, the layout of Hugging Face's cache.
 * It reads names and sizes and never what is in a file, except which revision a cache calls `main`.
 */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, normalize, parse } from 'node:path';
import type { FolderListing, FoundModel, ModelFile, ModelScan, SubFolder } from '../shared/contract-models.ts';
import { HopscopeError } from '../shared/errors.ts';

const configName = 'config.json';
const mostListed = 1000;

export interface ScanLimits {
  /** Levels below the folder that are looked into. */
  depth: number;
  folders: number;
}
/** Deep enough for HOME/.cache/huggingface/hub/models--A--B/snapshots/HASH. */
const scanLimits: ScanLimits = { depth: 8, folders: 100_000 };

/** What people call the model in a folder: `OWNER/NAME` in a Hugging Face cache, else the folder's name. */
export function modelName(path: string): string {
  const repository = /[/\\]models--([^/\\]+)[/\\]snapshots[/\\][^/\\]+[/\\]*$/.exec(path)?.[1];
  return repository === undefined ? basename(path) || path : repository.replaceAll('--', '/');
}

/** A folder as typed, absolute and with `~` replaced. Errors: `FolderNotFound`. */
export function folderAt(typed: string): string {
  const text = typed.trim();
  const path = /^~(?=$|[/\\])/.test(text) ? join(homedir(), text.slice(1)) : text;
  if (!isAbsolute(path)) {
    throw new HopscopeError(
      'FolderNotFound',
      `${JSON.stringify(text)} is not a whole path: begin at the top, as in ${join(homedir(), 'models')}.`,
    );
  }
  const folder = normalize(path).replace(/(?<=[^/\\:])[/\\]+$/, '');
  if (isFolder(folder)) return folder;
  const what = existsSync(folder)
    ? 'is a file; give the folder that it is in'
    : 'is not there; check the spelling, or connect the disk it is on';
  throw new HopscopeError('FolderNotFound', `${folder} ${what}.`);
}

/**
 * The folder of one model: `path` itself where it has a config.json, and for a repository of a Hugging Face cache the snapshot
 * that `refs/main` names, else the only one. Errors: `FolderNotFound`, `NoModelHere`.
 */
export function modelFolderAt(path: string): string {
  const folder = folderAt(path);
  if (hasConfig(folder)) return folder;
  const snapshot = snapshotOf(folder);
  if (snapshot !== null) return snapshot;
  throw new HopscopeError(
    'NoModelHere',
    `${folder} has no ${configName}, so it is no model's folder. Give the folder that holds ${configName} beside the safetensors files, or scan this one for models further down.`,
  );
}

/** Files of a folder, by name. Errors: `FolderNotFound`. */
export function filesOf(folder: string): ModelFile[] {
  const names = readdirSync(folderAt(folder)).sort();
  return names.flatMap((name) => {
    // Links of a cache lead to the file itself
    const file = statSync(join(folder, name), { throwIfNoEntry: false });
    return file?.isFile() ? [{ name, bytes: file.size }] : [];
  });
}

/** Folders in `path`, hidden ones last. Errors: `FolderNotFound`, `FolderRefused`. */
export function browse(path: string | undefined): FolderListing {
  const folder = path === undefined || path.trim() === '' ? homedir() : folderAt(path);
  const names = namesIn(folder);
  const parent = dirname(folder);
  return {
    path: folder,
    parent: parent === folder ? null : parent,
    isModel: hasConfig(folder),
    folders: names.slice(0, mostListed).map((name) => subFolder(folder, name)),
    more: Math.max(0, names.length - mostListed),
    places: places(),
  };
}

/**
 * Looks for folders with a config.json, `path` itself among them. Hidden folders are left out but for `.cache`; a folder that two
 * ways lead to is looked into once. Errors: `FolderNotFound`, `Interrupted`.
 */
export async function scan(
  path: string,
  {
    report,
    signal,
    limits = scanLimits,
  }: {
    report(folders: number, found: number, path: string): void;
    signal?: AbortSignal | undefined;
    limits?: ScanLimits;
  },
): Promise<ModelScan> {
  const root = folderAt(path);
  const result: ModelScan = { folders: 0, refused: 0, complete: true, models: [] };
  const seen = new Set<string>();
  const waiting = [{ folder: root, depth: 0 }];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (signal?.aborted) throw new HopscopeError('Interrupted', 'The scan was stopped.', 'interrupted');
    const { folder, depth } = next;
    const real = await realpath(folder).catch(() => null);
    if (real === null || seen.has(real)) continue;
    if (result.folders >= limits.folders) {
      result.complete = false;
      break;
    }
    seen.add(real);
    result.folders++;
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => null);
    report(result.folders, result.models.length, folder);
    if (entries === null) {
      result.refused++;
      continue;
    }
    if (entries.some(({ name }) => name === configName))
      result.models.push(
        await found(
          folder,
          entries.map(({ name }) => name),
        ),
      );
    if (depth === limits.depth) continue;
    for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name))) {
      if (isLeftOut(entry.name) || !(entry.isDirectory() || entry.isSymbolicLink())) continue;
      const below = join(folder, entry.name);
      if (entry.isDirectory() || (await stat(below).catch(() => null))?.isDirectory())
        waiting.push({ folder: below, depth: depth + 1 });
    }
  }
  return result;
}

async function found(folder: string, names: readonly string[]): Promise<FoundModel> {
  let bytes = 0;
  for (const name of names)
    if (name.endsWith('.safetensors')) bytes += (await stat(join(folder, name)).catch(() => null))?.size ?? 0;
  return { path: folder, name: modelName(folder), bytes };
}

/** Folders that hold no model of anybody's: hidden ones, programs' packages, the contents of a cache by hash. */
function isLeftOut(name: string): boolean {
  return (name.startsWith('.') && name !== '.cache') || name === 'node_modules' || name === 'blobs' || name === '$RECYCLE.BIN';
}

function namesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    const isHidden = (name: string) => name.startsWith('.');
    return entries
      .filter((entry) => entry.isDirectory() || (entry.isSymbolicLink() && isFolder(join(folder, entry.name))))
      .map(({ name }) => name)
      .sort((a, b) => Number(isHidden(a)) - Number(isHidden(b)) || a.localeCompare(b));
  } catch {
    throw new HopscopeError('FolderRefused', `${folder} may not be read by this user; choose another folder.`);
  }
}

function subFolder(folder: string, name: string): SubFolder {
  const path = join(folder, name);
  return { name, path, isModel: hasConfig(path) || snapshotOf(path) !== null };
}

function snapshotOf(folder: string): string | null {
  if (!basename(folder).startsWith('models--')) return null;
  const snapshots = join(folder, 'snapshots');
  const revision = mainRevision(folder) ?? onlyFolder(snapshots);
  const snapshot = revision === null ? null : join(snapshots, revision);
  return snapshot !== null && hasConfig(snapshot) ? snapshot : null;
}

/** The revision in `refs/main`: a commit's hash and nothing else. */
function mainRevision(folder: string): string | null {
  try {
    const text = readFileSync(join(folder, 'refs', 'main'), 'utf8').trim();
    return /^[0-9a-f]{7,64}$/.test(text) ? text : null;
  } catch {
    return null;
  }
}

function onlyFolder(folder: string): string | null {
  try {
    const names = readdirSync(folder);
    return names.length === 1 ? names[0]! : null;
  } catch {
    return null;
  }
}

/** Where models usually are, as far as it is there. */
function places(): { name: string; path: string }[] {
  const { HF_HUB_CACHE, HF_HOME } = process.env;
  const cache = HF_HUB_CACHE ?? (HF_HOME === undefined ? join(homedir(), '.cache', 'huggingface', 'hub') : join(HF_HOME, 'hub'));
  const known = [
    { name: 'Home', path: homedir() },
    { name: 'Hugging Face cache', path: cache },
    { name: 'Top', path: parse(homedir()).root },
  ];
  return known.filter(({ path }) => isFolder(path));
}

function isFolder(path: string): boolean {
  try {
    return statSync(realpathSync(path)).isDirectory();
  } catch {
    return false;
  }
}

const hasConfig = (folder: string): boolean => existsSync(join(folder, configName));
