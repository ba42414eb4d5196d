/**
 * Notes while they are on a screen: stored a moment after the last key and when they are left, and again until it works where the host is away.
 * What is stored and what is not is notes-draft.svelte.ts's; how they are written is the component's that makes one of these.
 */
import { untrack } from 'svelte';
import type { Connection } from './connection.svelte.ts';
import { NotesDraft, type SaveNotes } from './notes-draft.svelte.ts';

/** Milliseconds without a key before notes are stored. */
const pause = 800;
/** Before they are tried again where they could not be. */
const retryPause = 10_000;

export interface ShownNotesOptions {
  /** Whose notes they are: what could not be stored is kept under this name. */
  name: string;
  connection: Pick<Connection, 'state'>;
  /** The notes as the host has them now. */
  stored: () => string;
  /** Whether somebody is at the text, which is then not changed under their hands. */
  isWriting: () => boolean;
  save: SaveNotes;
  /** The host has others than were known here: ask it for them. */
  changed: () => void;
}

export class ShownNotes {
  readonly draft: NotesDraft;
  readonly #changed: () => void;

  /** Made while a component is: it stores and listens as long as that one is there. */
  constructor({ name, connection, stored, isWriting, save, changed }: ShownNotesOptions) {
    const draft = untrack(() => new NotesDraft(name, stored(), localStorage, save));
    this.draft = draft;
    this.#changed = changed;

    $effect(() => {
      if (draft.isSaved || draft.theirs !== null) return;
      void draft.text;
      // A line that is back is not waited for
      const isDown = connection.state !== 'open' || (draft.error !== null && draft.error.code !== 'Disconnected');
      const timer = setTimeout(() => void this.save(), draft.error !== null && isDown ? retryPause : pause);
      return () => clearTimeout(timer);
    });
    $effect(() => {
      const now = stored();
      untrack(() => draft.receive(now, isWriting()));
    });
    $effect(() => {
      const leave = () => draft.leave();
      const hide = () => {
        if (document.visibilityState === 'hidden') void this.save();
      };
      window.addEventListener('pagehide', leave);
      document.addEventListener('visibilitychange', hide);
      return () => {
        window.removeEventListener('pagehide', leave);
        document.removeEventListener('visibilitychange', hide);
        // Whoever leaves the screen within the pause loses nothing
        leave();
      };
    });
  }

  /** Whether the text could not be stored the last time and is not stored yet. */
  get isLate(): boolean {
    return this.draft.error !== null && !this.draft.isSaved;
  }

  /** How it stands in words, `saved` where everything is stored. */
  standing(saved: string): string {
    const { theirs, isSaved, error, isKept } = this.draft;
    if (theirs !== null) return '';
    if (isSaved) return saved;
    if (error === null) return 'Saving …';
    return `Not saved yet${isKept ? '; kept in this browser' : ': do not close this window'}. Trying again …`;
  }

  async save(): Promise<void> {
    await this.draft.save();
    if (this.draft.error?.code === 'NotesChanged') this.#changed();
  }
}
