/**
 * Light or dark, and how much contrast: the user's choice, or the system's preference where they made none.
 * It sets data-theme and data-contrast on <html>; the colours themselves are in styles/tokens.css.
 */

export type ThemeChoice = 'system' | 'light' | 'dark';

export type ContrastChoice = 'system' | 'standard' | 'more';

const key = 'hopscope-theme';
const contrastKey = 'hopscope-contrast';

export class Theme {
  #choice = $state<ThemeChoice>('system');
  #contrast = $state<ContrastChoice>('system');
  #systemDark = $state(false);
  #systemContrast = $state(false);
  #window: Window;

  /** Reads the stored choice and applies it; follows the system from then on. */
  constructor(view: Window) {
    this.#window = view;
    const stored = storedChoice(view, key);
    if (stored === 'light' || stored === 'dark') this.#choice = stored;
    const contrast = storedChoice(view, contrastKey);
    if (contrast === 'standard' || contrast === 'more') this.#contrast = contrast;
    this.#systemDark = this.#watch('(prefers-color-scheme: dark)', (matches) => {
      this.#systemDark = matches;
    });
    this.#systemContrast = this.#watch('(prefers-contrast: more)', (matches) => {
      this.#systemContrast = matches;
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

  get contrast(): ContrastChoice {
    return this.#contrast;
  }

  /** What is shown. */
  get shownContrast(): 'standard' | 'more' {
    if (this.#contrast !== 'system') return this.#contrast;
    return this.#systemContrast ? 'more' : 'standard';
  }

  choose(choice: ThemeChoice): void {
    this.#choice = choice;
    this.#store(key, choice);
    this.#apply();
  }

  chooseContrast(choice: ContrastChoice): void {
    this.#contrast = choice;
    this.#store(contrastKey, choice);
    this.#apply();
  }

  #store(name: string, choice: string): void {
    try {
      this.#window.localStorage.setItem(name, choice);
    } catch {
      // Storage is full or forbidden: the choice holds until the window closes.
    }
  }

  /** Whether the system has a preference now; `changed` is told from then on. */
  #watch(query: string, changed: (matches: boolean) => void): boolean {
    const preference = this.#window.matchMedia(query);
    preference.addEventListener('change', (event) => {
      changed(event.matches);
      this.#apply();
    });
    return preference.matches;
  }

  #apply(): void {
    const { dataset } = this.#window.document.documentElement;
    dataset.theme = this.shown;
    dataset.contrast = this.shownContrast;
  }
}

function storedChoice(view: Window, name: string): string | null {
  try {
    return view.localStorage.getItem(name);
  } catch {
    return null;
  }
}
