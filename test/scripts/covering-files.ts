/**
 * The test files whose tests fill README's table of families: those that call `covers`.
 * What they cover is known only once they have run.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Absolute paths. */
export function coveringFiles(): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && entry.name !== 'fixtures')
    .flatMap(({ name }) =>
      readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).map((path) => join(root, name, path)),
    )
    .filter((path) => path.endsWith('.test.ts') && /\bcovers\(/.test(readFileSync(path, 'utf8')))
    .sort();
}
