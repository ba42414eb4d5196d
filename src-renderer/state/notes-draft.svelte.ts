/**
 * Notes while they are written: what is stored, what is not stored yet, and what another window stored meanwhile. What could not be stored
 * is kept by the browser until it is. It draws nothing, and when to save is said by whoever shows it.
 */
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import { type Keeper, readKept, removeKept, writeKept } from '../datasets/kept-locally.ts';

/** Stores notes in the place of `base`. Errors: `NotesChanged` where others are stored by now, and any other of the host. */
export type SaveNotes = (notes: string, base: string) => Promise<void>;

/** What is kept: a text that was not stored, and the stored one that it was made from. */
interface Kept {
  text: string;
  base: string;
}

export class NotesDraft {
  #text = $state('');
  #saved = $state('');
  #theirs = $state<string | null>(null);
  #error = $state.raw<ErrorRecord | null>(null);
  #isKept = $state(false);
  /** The text on its way to the host. */
  #sent: string | null = null;
  #left = false;
  readonly #key: string;
  readonly #keeper: Keeper;
  readonly #save: SaveNotes;

  /** `name`: whose notes they are, for what is kept. A text that could not be stored last time is taken up again. */
  constructor(name: string, stored: string, keeper: Keeper, save: SaveNotes) {
    this.#key = `hopscope.notes-draft.${name}`;
    this.#keeper = keeper;
    this.#save = save;
    this.#text = this.#saved = stored;
    const kept = keptText(readKept(keeper, this.#key));
    if (kept === null) return;
    this.#isKept = true;
    if (kept.text === stored) this.#forget();
    else {
      this.#text = kept.text;
      this.#saved = kept.base;
      if (kept.base !== stored) this.#theirs = stored;
    }
  }

  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    this.#text = text;
  }

  get isSaved(): boolean {
    return this.#text === this.#saved;
  }

  /** What another window stored while this text was written; nothing is stored until `takeTheirs`, `keepMine` or `keepBoth`. */
  get theirs(): string | null {
    return this.#theirs;
  }

  /** Why the text could not be stored the last time; null once it could. */
  get error(): ErrorRecord | null {
    return this.#error;
  }

  /** Whether the browser has the text that is not stored, so that closing the window does not lose it. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** The notes as the host has them now. `isWriting`: somebody is at the text, which is then not changed under their hands. */
  receive(stored: string, isWriting: boolean): void {
    if (stored === this.#sent) return;
    if (stored === this.#saved) this.#theirs = null;
    else if (stored === this.#text) this.#settle(stored);
    else if (this.isSaved && !isWriting) this.#text = this.#saved = stored;
    else this.#theirs = stored;
  }

  /** Stores the text where it is not stored; returns whether it is now. */
  async save(): Promise<boolean> {
    if (this.#theirs !== null) return this.#keep();
    if (this.#sent !== null) return false; // what was written since is stored by the next call
    const text = this.#text;
    if (text === this.#saved) return true;
    this.#sent = text;
    try {
      await this.#save(text, this.#saved);
      this.#sent = null;
      this.#settle(text);
      if (this.#left && !this.isSaved) return await this.save();
      return this.isSaved;
    } catch (error) {
      this.#sent = null;
      this.#error = errorRecord(error);
      return this.#keep();
    }
  }

  /** Before the window or the screen goes: the browser keeps what is not stored, whatever becomes of the attempt to store it. */
  leave(): void {
    if (this.isSaved) return;
    this.#left = true;
    this.#keep();
    void this.save();
  }

  /** The other window's text takes the place of this one. */
  takeTheirs(): void {
    if (this.#theirs === null) return;
    this.#text = this.#theirs;
    this.#settle(this.#theirs);
  }

  /** This text takes the place of the other window's, at the next `save`. */
  keepMine(): void {
    if (this.#theirs === null) return;
    this.#saved = this.#theirs;
    this.#theirs = null;
  }

  /** The other window's text follows this one, below a line. */
  keepBoth(): void {
    const theirs = this.#theirs;
    if (theirs === null) return;
    this.#text = `${this.#text.trimEnd()}\n\n---\n\n${theirs}`;
    this.keepMine();
  }

  #settle(stored: string): void {
    this.#saved = stored;
    this.#theirs = null;
    this.#error = null;
    if (this.#text === stored) this.#forget();
  }

  #keep(): false {
    if (this.isSaved) return false;
    const kept: Kept = { text: this.#text, base: this.#saved };
    this.#isKept = writeKept(this.#keeper, this.#key, kept);
    return false;
  }

  #forget(): void {
    if (this.#isKept) removeKept(this.#keeper, this.#key);
    this.#isKept = false;
  }
}

function keptText(value: unknown): Kept | null {
  const { text, base } = (value ?? {}) as Partial<Kept>;
  return typeof text === 'string' && typeof base === 'string' ? { text, base } : null;
}
