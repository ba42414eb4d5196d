/**
 * Which keys do what anywhere, and the reading of key presses; what a single screen does with keys is that screen's business (it
 * lists its keys in screens.ts for the sheet). Keys without Ctrl or Cmd do nothing while text is typed, and Ctrl+Z in a field that was
 * typed in is that field's own.
 */

/** `keys` as they are written on the sheet: `Ctrl+K`, `G then H`, `?`. */
export interface Shortcut {
  keys: string;
  does: string;
}

/** How long the second key of a pair may take, in milliseconds. */
const pairTime = 1500;

/** What global keys lead to. */
export interface ShortcutActions {
  palette(): void;
  shortcuts(): void;
  /** The second letter of a pair that begins with G; false where there is no such place. */
  go(letter: string): boolean;
  /** Whether there was something to undo. */
  undo(): boolean;
  /** Whether keys without Ctrl or Cmd count. */
  singleKeys(): boolean;
}

/** The name of the key that goes with letters on this system. */
export function modifierName(platform: string): string {
  return /mac|iphone|ipad/i.test(platform) ? '⌘' : 'Ctrl';
}

/** Reads key presses that nobody on the screen has taken (`defaultPrevented`). */
export class ShortcutReader {
  #actions: ShortcutActions;
  #pairBegun = Number.NEGATIVE_INFINITY;
  /** Fields that were typed in: they have something of their own to undo. */
  readonly #typedIn = new WeakSet<EventTarget>();

  constructor(actions: ShortcutActions) {
    this.#actions = actions;
  }

  /** Notes that a field was typed in. */
  typed({ target }: Event): void {
    if (target !== null) this.#typedIn.add(target);
  }

  /** `now`: milliseconds. */
  press(event: KeyboardEvent, now: number): void {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    if (this.#taken(event, now)) event.preventDefault();
  }

  #taken(event: KeyboardEvent, now: number): boolean {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (event.shiftKey) return false;
      if (key === 'k') this.#actions.palette();
      return key === 'k' || (key === 'z' && !this.#hasOwnUndo(event.target) && this.#actions.undo());
    }
    if (isTyping(event.target) || !this.#actions.singleKeys()) return false;
    const inPair = now - this.#pairBegun < pairTime;
    this.#pairBegun = Number.NEGATIVE_INFINITY;
    if (inPair && key.length === 1) return this.#actions.go(key);
    if (key === 'g') {
      this.#pairBegun = now;
      return true;
    }
    if (key === '?') this.#actions.shortcuts();
    return key === '?';
  }

  /** Places that undo what was done in them say so by taking the key; fields of text do not. */
  #hasOwnUndo(target: EventTarget | null): boolean {
    if (target === null || !isElement(target)) return false;
    return this.#typedIn.has(target) || target.closest('dialog, [role="dialog"], [role="menu"]') !== null;
  }
}

/** Whether keys pressed there are text, or belong to a widget that has keys of its own. */
function isTyping(target: EventTarget | null): boolean {
  if (target === null || !isElement(target)) return false;
  if (
    target.closest(
      '[contenteditable=""], [contenteditable="true"], textarea, select, dialog, [role="dialog"], [role="menu"], [role="grid"]',
    )
  )
    return true;
  const input = target.closest('input');
  return input !== null && !['checkbox', 'radio', 'button', 'range'].includes(input.type);
}

/** The window can be a target too. */
function isElement(target: EventTarget): target is Element {
  return 'closest' in target;
}
