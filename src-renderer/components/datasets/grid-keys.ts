/**
 * What keys do in an editing grid that has the keyboard, outside a cell's editor. It changes the grid's state and draws nothing; keys that
 * mean the same wherever the keyboard is, as those that find, are the panel's around it.
 */
import type { GridState } from '../../state/grid.svelte.ts';

/** Keys that the grid does not act on itself. */
export interface GridKeyActions {
  /** The next Tab should leave the grid. */
  release(): void;
  isReleased(): boolean;
}

/** Whether the key was taken. */
export function pressGridKey(grid: GridState, event: KeyboardEvent, actions: GridKeyActions): boolean {
  const { key, shiftKey: shift, altKey } = event;
  const control = event.ctrlKey || event.metaKey;
  if (event.isComposing) return false;
  if (altKey) {
    if (control || (key !== 'ArrowUp' && key !== 'ArrowDown')) return false;
    grid.moveRows(key === 'ArrowUp' ? -1 : 1);
    return true;
  }
  if (control) return pressWithControl(grid, key.toLowerCase(), shift) || grid.move(key, { control, shift });
  switch (key) {
    case 'Tab':
      return !actions.isReleased() && grid.tab(shift);
    case 'Escape':
      actions.release();
      return true;
    case 'Enter':
    case 'F2':
      grid.edit();
      return true;
    case 'Delete':
    case 'Backspace':
      if (grid.selection.wholeRows && key === 'Delete') deleteRows(grid);
      else grid.clear();
      return true;
    case ' ':
      if (!shift) break;
      grid.selectRow(grid.selection.focus.row, false);
      return true;
  }
  if (grid.move(key, { control, shift })) return true;
  if ([...key].length !== 1) return false;
  grid.edit(key);
  return true;
}

/** The keyboard goes on from the row that took the place. */
function deleteRows(grid: GridState): void {
  grid.deleteRows();
  grid.selected.askFocus();
}

function pressWithControl(grid: GridState, key: string, shift: boolean): boolean {
  switch (key) {
    case 'a':
      grid.selectAll();
      return true;
    case 'z':
      if (shift) grid.redo();
      else grid.undo();
      return true;
    case 'y':
      grid.redo();
      return true;
    case 'd':
      grid.fillDown();
      return true;
    case 'enter':
      grid.insertRow(shift ? 'above' : 'below');
      return true;
    case 'delete':
    case 'backspace':
      deleteRows(grid);
      return true;
    default:
      return false;
  }
}
