/**
 * Finds a file of a model folder by name and refuses whatever would lead out of the folder.
 * It opens nothing; the path it returns has no symbolic link left in it.
 */
import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { HopscopeError } from '../../shared/errors.ts';

/**
 * The real path of the file `name` in `folder` (itself a real path), or undefined when there is no such entry.
 *
 * Symbolic links are followed only within the folder, and in a Hugging Face hub cache to the `blobs` folder of the enclosing
 * `models--OWNER--NAME`: there every file of a snapshot is such a link.
 * @throws HopscopeError `OutsideFolder` when the name is not a plain file name or leads elsewhere, also through a broken link
 */
export function pathInside(folder: string, name: string): string | undefined {
  const problem = fileNameProblem(name);
  if (problem !== undefined) throw outside(folder, name, problem);
  const path = join(folder, name);
  try {
    lstatSync(path);
  } catch {
    return undefined;
  }
  let real: string;
  try {
    real = realpathSync(path);
  } catch {
    throw outside(folder, name, 'it is a symbolic link that leads nowhere');
  }
  const blobs = hubCacheBlobs(folder);
  if (!isWithin(folder, real) && !(blobs !== undefined && isWithin(blobs, real))) {
    throw outside(folder, name, 'it is a symbolic link that leads out of the folder; copy the file here instead');
  }
  return real;
}

/** Why a name from an untrusted file is not the name of one file in the same folder, on any system; undefined if it is. */
export function fileNameProblem(name: string): string | undefined {
  if (name === '' || name.length > 255) return 'a file name has 1 to 255 characters';
  if (name === '.' || name === '..' || /[/\\]/.test(name)) return 'only a plain file name without folders is allowed';
  if (/[\p{Cc}\p{Cf}\p{Surrogate}]/u.test(name)) return 'it holds an invisible character';
  // Drive letters and alternate streams; and what Windows would silently take for another name.
  if (name.includes(':')) return 'it holds a colon';
  if (/[. ]$/.test(name)) return 'it ends with a dot or a space';
  if (/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name)) return 'it is the name of a device on Windows';
  return undefined;
}

/** Whether `path` lies below `folder`; both are real paths. A common prefix of names is not enough: `root2` is not in `root`. */
function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** The `blobs` folder of the hub cache that `folder` is a snapshot of: CACHE/models--OWNER--NAME/snapshots/REVISION. */
function hubCacheBlobs(folder: string): string | undefined {
  const snapshots = dirname(folder);
  const repository = dirname(snapshots);
  if (basename(snapshots) !== 'snapshots' || !basename(repository).startsWith('models--')) return undefined;
  try {
    const blobs = join(repository, 'blobs');
    return realpathSync(blobs) === blobs ? blobs : undefined;
  } catch {
    return undefined;
  }
}

function outside(folder: string, name: string, why: string): HopscopeError {
  return new HopscopeError('OutsideFolder', `${JSON.stringify(name.slice(0, 200))} in ${folder} is refused: ${why}.`);
}
