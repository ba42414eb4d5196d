/**
 * Light or dark: the user's choice, or the system's preference where they made none.
 * It sets data-theme on <html>; the colours themselves are in styles/tokens.css.
 */

export type ThemeChoice = 'system' | 'light' | 'dark';

const key = 'hopscope-theme';

export class Theme {
  #choice = $state<ThemeChoice>('system');
  #systemDark = $state(false);
  #window: Window;

  /** Reads the stored choice and applies it; follows the system from then on. */
  constructor(view: Window) {
    this.#window = view;
    const stored = storedChoice(view);
    if (stored === 'light' || stored === 'dark') this.#choice = stored;
    const preference = view.matchMedia('(prefers-color-scheme: dark)');
    this.#systemDark = preference.matches;
    preference.addEventListener('change', (event) => {
      this.#systemDark = event.matches;
      this.#apply();
    });
    this.#apply();
  }

  get choice(): ThemeChoice {
    return this.#choice;
  }

  /** What is shown. Canvas drawings read it so that they are redrawn when it changes. */
  get shown(): 'light' | 'dark' {
    if (this.#choice !== 'system') return this.#choice;
    return this.#systemDark ? 'dark' : 'light';
  }

  choose(choice: ThemeChoice): void {
    this.#choice = choice;
    try {
      this.#window.localStorage.setItem(key, choice);
    } catch {
      // Storage is full or forbidden: the choice holds until the window closes.
    }
    this.#apply();
  }

  #apply(): void {
    this.#window.document.documentElement.dataset.theme = this.shown;
  }
}

function storedChoice(view: Window): string | null {
  try {
    return view.localStorage.getItem(key);
  } catch {
    return null;
  }
}
