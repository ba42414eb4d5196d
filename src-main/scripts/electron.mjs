/**
 * The Electron of node_modules: finds its binary, and fetches it once where it is missing.
 * npm installs the package without the binary; whoever needs it first has it downloaded.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', '..', 'node_modules', 'electron');

/** The path of the binary, or null where there is none yet. */
export function electronBinary() {
  const file = join(folder, 'path.txt');
  if (!existsSync(file)) return null;
  const binary = join(folder, 'dist', readFileSync(file, 'utf8').trim());
  return existsSync(binary) ? binary : null;
}

/** The path of the binary, downloaded now if need be; null where it cannot be had. Without a network that is known at once. */
export function fetchElectron() {
  const found = electronBinary();
  if (found) return found;
  const installer = join(folder, 'install.js');
  if (!existsSync(installer)) return null;
  spawnSync(process.execPath, [installer], { stdio: 'ignore', timeout: 5 * 60_000 });
  return electronBinary();
}
