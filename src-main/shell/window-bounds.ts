/**
 * Remembers where the window was: reads and writes one small file, and puts a window that would be off every screen back on one.
 * It knows nothing of Electron; screens come in as rectangles.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** In device-independent pixels. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A window's place, and whether it fills the screen. */
export interface WindowBounds extends Partial<Rectangle> {
  width: number;
  height: number;
  maximized: boolean;
}

export const smallest = { width: 1024, height: 700 };
const first: WindowBounds = { width: 1280, height: 860, maximized: false };

/** The remembered bounds as they fit on `screens` (their work areas); the first-time size where there are none, or none that can be used. */
export function readBounds(file: string, screens: readonly Rectangle[]): WindowBounds {
  let stored: Partial<Record<string, unknown>>;
  try {
    stored = JSON.parse(readFileSync(file, 'utf8')) ?? {};
  } catch {
    return first;
  }
  const { x, y, width, height, maximized } = stored;
  if (!isLength(width) || !isLength(height)) return first;
  const size = {
    width: Math.max(width, smallest.width),
    height: Math.max(height, smallest.height),
    maximized: maximized === true,
  };
  if (!isPlace(x) || !isPlace(y)) return size;
  // A title bar's worth of the window must lie on some screen, or nobody could move it back.
  const visible = screens.some(
    (screen) =>
      x + 100 <= screen.x + screen.width &&
      x + size.width - 100 >= screen.x &&
      y >= screen.y &&
      y + 40 <= screen.y + screen.height,
  );
  return visible ? { x, y, ...size } : size;
}

/** Stores the bounds, whole or not at all; a folder that cannot be written is no reason to keep a window open. */
export function writeBounds(file: string, bounds: WindowBounds): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, JSON.stringify(bounds));
    renameSync(`${file}.new`, file);
  } catch {
    // The next start takes the first-time size.
  }
}

function isLength(value: unknown): value is number {
  return isPlace(value) && value > 0;
}

function isPlace(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 100_000;
}
