/**
 * The one error class that crosses every boundary: a stable one-word code, a sentence that says what is wrong,
 * where, and what to do. It is not a list of codes: each module names its own beside the check that raises it.
 */

/** `input`: the user's files or settings (exit 2); `failure`: broke while running (exit 1); `interrupted`: stopped on request (exit 130). */
export type ErrorKind = 'input' | 'failure' | 'interrupted';

/** Plain form of an error, as it is stored, printed with `--json` and sent over a port. */
export interface ErrorRecord {
  code: string;
  message: string;
  kind: ErrorKind;
}

/** An error that a user can act on. `code` is one PascalCase word, the same on stderr, in JSON and on screen. */
export class HopscopeError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;

  constructor(code: string, message: string, kind: ErrorKind = 'input') {
    super(message);
    this.name = 'HopscopeError';
    this.code = code;
    this.kind = kind;
  }
}

/** The record of any thrown value; what is not a HopscopeError is an `Internal` failure. */
export function errorRecord(error: unknown): ErrorRecord {
  if (error instanceof HopscopeError) return { code: error.code, message: error.message, kind: error.kind };
  if (error instanceof Error && error.name === 'AbortError') {
    return { code: 'Interrupted', message: 'Stopped on request.', kind: 'interrupted' };
  }
  return { code: 'Internal', message: error instanceof Error ? error.message : String(error), kind: 'failure' };
}

/** The error that a record describes, for the far side of a port. */
export function errorFromRecord(record: ErrorRecord): HopscopeError {
  return new HopscopeError(record.code, record.message, record.kind);
}
