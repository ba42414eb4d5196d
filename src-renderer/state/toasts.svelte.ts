/**
 * Short notices at the screen's edge, such as "Deleted X" with a way to take it back. They go by themselves, but not while they
 * are looked at. What went wrong with something on the screen is said there (ErrorNotice), not here.
 */
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';

export interface ToastContent {
  text: string;
  /** For example {label: 'Undo', run: ...}. */
  action?: { label: string; run: () => void | Promise<void> };
  /** An error is read out at once. */
  kind?: 'note' | 'error';
}

export interface Toast extends ToastContent {
  id: number;
}

/** Milliseconds that a notice stays: longer where it offers something. */
const plainTime = 5000;
const actionTime = 10_000;
const mostShown = 4;

export class Toasts {
  #shown = $state.raw<readonly Toast[]>([]);
  #timers = new Map<number, ReturnType<typeof setTimeout>>();
  #held = false;
  #last = 0;

  /** Oldest first. */
  get shown(): readonly Toast[] {
    return this.#shown;
  }

  /** Returns the notice's number, for `dismiss`. */
  show(content: ToastContent): number {
    this.#last += 1;
    const toast = { ...content, id: this.#last };
    for (const old of this.#shown.slice(0, Math.max(0, this.#shown.length + 1 - mostShown))) this.dismiss(old.id);
    this.#shown = [...this.#shown, toast];
    if (!this.#held) this.#start(toast);
    return toast.id;
  }

  /** Says what went wrong with something that has no place of its own on the screen. */
  showError(title: string, error: unknown): void {
    const { code, message }: ErrorRecord = errorRecord(error);
    this.show({ kind: 'error', text: `${title} ${message} (${code})` });
  }

  /** Does something whose failure has no place of its own on the screen: what it answers, or null where it failed, which is said. */
  async attempt<T>(title: string, action: () => Promise<T>): Promise<T | null> {
    try {
      return await action();
    } catch (error) {
      this.showError(title, error);
      return null;
    }
  }

  dismiss(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.#shown = this.#shown.filter((toast) => toast.id !== id);
  }

  /** Does what the notice offers; it goes. */
  async act(id: number): Promise<void> {
    const toast = this.#shown.find((candidate) => candidate.id === id);
    if (toast?.action === undefined) return;
    this.dismiss(id);
    try {
      await toast.action.run();
    } catch (error) {
      this.showError(`${toast.action.label} did not work.`, error);
    }
  }

  /** Does what the newest notice with an offer offers; false where there is none. */
  actOnNewest(): boolean {
    const toast = [...this.#shown].reverse().find(({ action }) => action !== undefined);
    if (toast === undefined) return false;
    void this.act(toast.id);
    return true;
  }

  /** None goes while they are looked at (pointed at, focused). */
  hold(): void {
    this.#held = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Their time begins anew. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    for (const toast of this.#shown) this.#start(toast);
  }

  #start(toast: Toast): void {
    clearTimeout(this.#timers.get(toast.id));
    const time = toast.action === undefined ? plainTime : actionTime;
    this.#timers.set(
      toast.id,
      setTimeout(() => this.dismiss(toast.id), time),
    );
  }
}
