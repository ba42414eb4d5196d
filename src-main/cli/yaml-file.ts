/**
 * Reads YAML (and so JSON) files of specs and recipes, strictly: the only file that imports the YAML library.
 * What the keys mean is checked by whoever asked.
 */
import { parseDocument } from 'yaml';
import { HopscopeError } from '../shared/errors.ts';
import type { Json } from '../shared/records.ts';
import { readTextFile } from './files.ts';

/** The mapping that a file holds. Errors: `CannotRead`, `BadYaml` with line and column. */
export function readYamlFile(path: string): { [key: string]: Json } {
  const document = parseDocument(readTextFile(path), { uniqueKeys: true, strict: true, prettyErrors: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) {
    const at = problem.linePos?.[0];
    // The library's own message repeats the line below a colon
    const reason = problem.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
    throw bad(path, `${at ? `line ${at.line}, column ${at.col}: ` : ''}${reason}`);
  }
  // Few aliases: nested ones can grow without limit
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(path, 'keys and values are expected, such as `experiment: ocr`');
  requirePlain(value, path);
  return value as { [key: string]: Json };
}

/** YAML can write numbers that JSON cannot. */
function requirePlain(value: unknown, path: string): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw bad(path, `the number ${value} is not finite`);
  if (typeof value !== 'object' || value === null) return;
  for (const item of Object.values(value)) requirePlain(item, path);
}

function bad(path: string, reason: string): HopscopeError {
  return new HopscopeError('BadYaml', `${path}: ${reason}.`);
}
