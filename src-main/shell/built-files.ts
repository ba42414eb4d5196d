/**
 * The built renderer as an in-memory map from exact path to bytes, read once at start.
 * Requests are looked up in it by string equality: no path from a request ever reaches the file system.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { HopscopeError } from '../shared/errors.ts';

/** One file of the built renderer with the media type it is served as. */
export interface BuiltFile {
  body: Buffer;
  type: string;
}

const mediaTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

/**
 * Reads every file of a known type under `folder`. Keys are URL paths such as `/assets/index-1a2b.js`; `/` is index.html.
 * Errors: `NotBuilt` where the folder has no index.html.
 */
export function readBuiltFiles(folder: string): Map<string, BuiltFile> {
  const files = new Map<string, BuiltFile>();
  collect(folder, '/', files);
  const index = files.get('/index.html');
  if (!index) {
    throw new HopscopeError('NotBuilt', `${folder} has no built workbench (index.html): run "npm run build" first.`, 'failure');
  }
  files.set('/', index);
  return files;
}

function collect(folder: string, prefix: string, files: Map<string, BuiltFile>): void {
  let entries: import('node:fs').Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return; // reported by the caller as a missing index.html
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) collect(path, `${prefix}${entry.name}/`, files);
    else if (entry.isFile()) {
      const type = mediaTypes[extname(entry.name)];
      if (type) files.set(prefix + entry.name, { body: readFileSync(path), type });
    }
  }
}
