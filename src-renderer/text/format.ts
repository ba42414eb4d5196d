/**
 * Numbers, times and names as text, the same on every screen.
 * It is not localized beyond the browser's date format, and it computes nothing.
 */

/** A mean rank with two decimals; `–` where there is none. */
export function formatRank(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return formatFixed(value, 2);
}

/** So many decimals, with a true minus sign, and none before what rounds to 0. */
export function formatFixed(value: number, decimals: number): string {
  // The same mean, summed in another order, differs in its last bits: halves must not round apart
  const text = Number(value.toPrecision(12)).toFixed(decimals);
  return Number(text) === 0 ? text.replace('-', '') : trueMinus(text);
}

/** A number's own sign as a true minus; exponents stay as they are typed: `−3e-4`. */
export const trueMinus = (text: string): string => text.replace(/^-/, '\u2212');

/** The same in files of numbers, which programs read. */
export const plainMinus = (text: string): string => text.replace(/^\u2212/, '-');

/** Chance levels are halves: one decimal at most. */
export function formatChance(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

/** Three significant digits, plain notation between 0.001 and 100,000. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0 || Number.isInteger(value)) return trueMinus(value.toLocaleString('en-US'));
  const size = Math.abs(value);
  return trueMinus(
    size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(2).replace(/\.?0+e/, 'e'),
  );
}

/** Seconds as `850 ms`, `42 s`, `3 min 5 s` or `2 h 10 min`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return parts(Math.floor(whole / 60), 'min', whole % 60, 's');
  const minutes = Math.round(whole / 60);
  return parts(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

function parts(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** Counts of parameters: `1.31 M`, `6.89 B`. */
export function formatCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toPrecision(3)} B`;
  if (count >= 1e6) return `${(count / 1e6).toPrecision(3)} M`;
  return count.toLocaleString('en-US');
}

/** Made once: making one takes longer than a list's row. */
const clockFormat = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
const dayFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

/** An ISO time as local date and minutes; today's as the time alone. */
export function formatTime(iso: string, now: Date = new Date()): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return '–';
  const clock = clockFormat.format(time);
  if (time.toDateString() === now.toDateString()) return `today ${clock}`;
  return `${dayFormat.format(time)}, ${clock}`;
}

/** The last folder of a path, which is what people call a model. */
export function baseName(path: string): string {
  const trimmed = path.replace(/[/\\]+$/, '');
  return trimmed.slice(Math.max(trimmed.lastIndexOf('/'), trimmed.lastIndexOf('\\')) + 1) || path;
}

/** `implications` as a heading: `Implications`. */
export function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `1 seed`, `3 seeds`. */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** `1st`, `2nd`, `11th`. */
export function ordinal(place: number): string {
  const isTeen = place % 100 > 10 && place % 100 < 14;
  return `${place}${(isTeen ? undefined : ['th', 'st', 'nd', 'rd'][place % 10]) ?? 'th'}`;
}

/** A stage as people read it: `left_first.1` is `left first, stage 2`, `joint.finetune` is `joint, finetuning`. */
export function stageName(stage: string): string {
  return stage
    .replace(/\.(\d+)$/, (_, index: string) => `, stage ${Number(index) + 1}`)
    .replace(/\.finetune$/, ', finetuning')
    .replaceAll('_', ' ');
}
