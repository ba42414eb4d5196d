/** Notes that are not stored yet: kept by the browser, tried again, and never written over another window's unseen. */
import { describe, expect, it, vi } from 'vitest';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import type { Keeper } from '../../src-renderer/datasets/kept-locally.ts';
import { NotesDraft } from '../../src-renderer/state/notes-draft.svelte.ts';

function keeper(): Keeper & { size(): number } {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
    size: () => values.size,
  };
}

/** A host that stores notes as the real one does, and can be out of reach. */
function host(stored = 'one') {
  const state = { stored, isDown: false };
  const save = vi.fn(async (text: string, base: string) => {
    await Promise.resolve();
    if (state.isDown) throw new HopscopeError('Disconnected', 'The line is down.', 'failure');
    if (state.stored !== base && state.stored !== text) throw new HopscopeError('NotesChanged', 'Changed meanwhile.');
    state.stored = text;
  });
  return { state, save };
}

describe('NotesDraft', () => {
  it('stores what was written since, one at a time', async () => {
    const { state, save } = host();
    const kept = keeper();
    const draft = new NotesDraft('p', 'one', kept, save);
    expect([draft.isSaved, await draft.save(), save.mock.calls.length]).toEqual([true, true, 0]);
    draft.text = 'one two';
    const first = draft.save();
    draft.text = 'one two three';
    expect(await draft.save()).toBe(false);
    expect(await first).toBe(false);
    expect([state.stored, draft.isSaved]).toEqual(['one two', false]);
    expect(await draft.save()).toBe(true);
    expect([state.stored, draft.isSaved, kept.size()]).toEqual(['one two three', true, 0]);
  });

  it('keeps what could not be stored, says why, and takes it up again after a reload', async () => {
    const { state, save } = host();
    const kept = keeper();
    const draft = new NotesDraft('p', 'one', kept, save);
    state.isDown = true;
    draft.text = 'written on the train';
    expect(await draft.save()).toBe(false);
    expect([draft.error?.code, draft.isKept, draft.isSaved]).toEqual(['Disconnected', true, false]);
    const again = new NotesDraft('p', 'one', kept, save);
    expect([again.text, again.isSaved, again.isKept, again.theirs]).toEqual(['written on the train', false, true, null]);
    expect(new NotesDraft('other', 'x', kept, save).text).toBe('x');
    state.isDown = false;
    expect(await again.save()).toBe(true);
    expect([state.stored, again.error, again.isKept, kept.size()]).toEqual(['written on the train', null, false, 0]);
  });

  it('loses nothing when the window closes within the pause, whether or not it was stored in time', async () => {
    for (const arrives of [true, false]) {
      const { state, save } = host();
      const kept = keeper();
      const draft = new NotesDraft('p', 'one', kept, save);
      state.isDown = !arrives;
      draft.text = 'last words';
      draft.leave();
      expect(kept.size()).toBe(1);
      await vi.waitFor(() => expect(draft.isSaved || draft.error !== null).toBe(true));
      expect([state.stored, kept.size()]).toEqual(arrives ? ['last words', 0] : ['one', 1]);
    }
    // It was stored, but the page did not live to hear of it
    const kept = keeper();
    const { save } = host();
    kept.setItem('hopscope.notes-draft.p', JSON.stringify({ text: 'last words', base: 'one' }));
    const draft = new NotesDraft('p', 'last words', kept, save);
    expect([draft.isSaved, draft.theirs, kept.size()]).toEqual([true, null, 0]);
    kept.setItem('hopscope.notes-draft.p', '{"text": 3');
    expect(new NotesDraft('p', 'x', kept, save).text).toBe('x');
  });

  it('stores on leaving what was written while it stored', async () => {
    const { state, save } = host();
    const draft = new NotesDraft('p', 'one', keeper(), save);
    draft.text = 'two';
    void draft.save();
    draft.text = 'three';
    draft.leave();
    await vi.waitFor(() => expect(state.stored).toBe('three'));
  });

  it("takes over another window's text where nothing is written here, and never its own for news", async () => {
    const { save } = host();
    const draft = new NotesDraft('p', 'one', keeper(), save);
    draft.receive('from there', false);
    expect([draft.text, draft.isSaved]).toEqual(['from there', true]);
    draft.receive('again', true);
    expect([draft.text, draft.theirs]).toEqual(['from there', 'again']);
    draft.receive('from there', true);
    expect(draft.theirs).toBe(null);
    draft.text = 'mine';
    draft.receive('mine', true);
    expect([draft.isSaved, draft.theirs]).toEqual([true, null]);
  });

  it.each([
    ['takeTheirs', 'theirs'],
    ['keepMine', 'mine'],
    ['keepBoth', 'mine\n\n---\n\ntheirs'],
  ] as const)('two texts at once wait for a choice: %s', async (choose, expected) => {
    const { state, save } = host();
    const kept = keeper();
    const draft = new NotesDraft('p', 'one', kept, save);
    draft.text = 'mine';
    state.stored = 'theirs';
    // Told by the refusal, before the news comes
    expect(await draft.save()).toBe(false);
    expect(draft.error?.code).toBe('NotesChanged');
    draft.receive('theirs', true);
    expect([draft.theirs, draft.text, state.stored]).toEqual(['theirs', 'mine', 'theirs']);
    save.mockClear();
    await draft.save();
    expect([save.mock.calls.length, kept.size()]).toEqual([0, 1]);
    // Both outlive a reload
    const reloaded = new NotesDraft('p', 'theirs', kept, save);
    reloaded.receive('theirs', false);
    expect([reloaded.text, reloaded.theirs]).toEqual(['mine', 'theirs']);
    reloaded[choose]();
    expect(await reloaded.save()).toBe(true);
    expect([state.stored, reloaded.text, reloaded.theirs, kept.size()]).toEqual([expected, expected, null, 0]);
  });

  it('says where the browser keeps nothing', async () => {
    const { state, save } = host();
    const full = {
      ...keeper(),
      setItem: () => {
        throw new Error('QuotaExceededError');
      },
    };
    const draft = new NotesDraft('p', 'one', full, save);
    state.isDown = true;
    draft.text = 'two';
    await draft.save();
    expect([draft.isKept, draft.isSaved]).toEqual([false, false]);
  });
});
