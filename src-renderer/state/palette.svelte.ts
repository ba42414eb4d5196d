/**
 * Whether the command palette or the sheet of shortcuts is open, what the screen that is shown adds to the palette, and whether single
 * keys do anything. What the palette offers besides is in components/palette; which keys do what, in state/shortcuts.ts.
 */
import { untrack } from 'svelte';
import type { IconName } from '../components/icons.ts';

/** Something that can be done on the screen that is shown. */
export interface ScreenCommand {
  title: string;
  icon: IconName;
  keys?: string;
  run: () => void;
}

const key = 'hopscope-single-keys';

export class Palette {
  #window: Window;
  #singleKeys = $state(true);
  #open = $state<'none' | 'palette' | 'shortcuts'>('none');
  #offers = $state.raw<readonly (() => readonly ScreenCommand[])[]>([]);

  constructor(view: Window) {
    this.#window = view;
    try {
      this.#singleKeys = view.localStorage.getItem(key) !== 'off';
    } catch {
      // Storage is forbidden: they are on.
    }
  }

  /** What the screen that is shown offers now. */
  get screenCommands(): readonly ScreenCommand[] {
    return this.#offers.flatMap((commands) => commands());
  }

  /** Adds commands to the palette until the returned function is called: `$effect(() => palette.offer(() => [...]))`. */
  offer(commands: () => readonly ScreenCommand[]): () => void {
    this.#offers = [...untrack(() => this.#offers), commands];
    return () => {
      this.#offers = this.#offers.filter((other) => other !== commands);
    };
  }

  get paletteOpen(): boolean {
    return this.#open === 'palette';
  }

  set paletteOpen(open: boolean) {
    this.#set('palette', open);
  }

  get shortcutsOpen(): boolean {
    return this.#open === 'shortcuts';
  }

  set shortcutsOpen(open: boolean) {
    this.#set('shortcuts', open);
  }

  /** Whether keys without Ctrl or Cmd, such as `g h` and `?`, do anything: who dictates text to the machine may want none of them to. */
  get singleKeys(): boolean {
    return this.#singleKeys;
  }

  set singleKeys(on: boolean) {
    this.#singleKeys = on;
    try {
      this.#window.localStorage.setItem(key, on ? 'on' : 'off');
    } catch {
      // Storage is full or forbidden: the choice holds until the window closes.
    }
  }

  #set(which: 'palette' | 'shortcuts', open: boolean): void {
    if (open) this.#open = which;
    else if (this.#open === which) this.#open = 'none';
  }
}
