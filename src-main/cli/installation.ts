/**
 * Where the parts of this program lie beside the script that was started, built (out/main/cli.cjs) or from source (src-main/cli.ts).
 * It opens none of them.
 */
import { dirname, extname, join } from 'node:path';

export interface Installation {
  /** The script of this command line. */
  entry: string;
  /** The compute process's script, of the same kind. */
  computeEntry: string;
  /** The folder of the built workbench. */
  rendererFolder: string;
  /** The folder of the shipped model and data. */
  resources: string;
}

/** `entry` is the real path of the script that runs. */
export function installationOf(entry: string): Installation {
  const folder = dirname(entry);
  const built = extname(entry) === '.cjs';
  const project = built ? join(folder, '..', '..') : join(folder, '..');
  return {
    entry,
    computeEntry: join(folder, `compute${extname(entry)}`),
    rendererFolder: join(project, 'out', 'renderer'),
    resources: join(project, 'resources'),
  };
}
