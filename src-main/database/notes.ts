/**
 * Whether notes may take the place of those that are stored: one rule for all that has notes. Storing them is its owner's.
 */
import { HopscopeError } from '../shared/errors.ts';

/** `base`: the notes that were changed; null: whatever is stored. Errors: `NotesChanged` where others are stored by now. */
export function requireLatestNotes(stored: string, notes: string, base: string | null): void {
  // Whoever sends the same text twice has not been overtaken by themselves
  if (base === null || stored === base || stored === notes) return;
  throw new HopscopeError(
    'NotesChanged',
    'The notes were changed in another window meanwhile: read them before writing over them.',
  );
}
