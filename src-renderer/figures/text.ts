/**
 * Text inside drawings: how wide it is about, and how it breaks into lines. Widths are estimated from the letters, so that a drawing needs no
 * page to be made; estimates err on the wide side.
 */
import { element, type SvgNode } from './nodes.ts';
import type { FigureStyle } from './style.ts';

/** Estimated width of a text in units. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const character of text) {
    if (/[ .,:;'|!()[\]iljtfrI]/.test(character)) width += 0.34;
    else if (/[mwMW@%]/.test(character)) width += 0.88;
    else if (/[A-Z]/.test(character)) width += 0.7;
    else if (character.charCodeAt(0) > 0x2e80) width += 1;
    else width += 0.57;
  }
  return width * fontSize;
}

/** Lines of whole words no wider than `width`, where words allow it. */
export function wrap(text: string, width: number, fontSize: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(longer, fontSize) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line === '' ? lines : [...lines, line];
}

/** The text, cut with an ellipsis to fit. */
export function shorten(text: string, width: number, fontSize: number): string {
  if (textWidth(text, fontSize) <= width) return text;
  const letters = [...text];
  while (letters.length > 1 && textWidth(`${letters.join('')}…`, fontSize) > width) letters.pop();
  return `${letters.join('').trimEnd()}…`;
}

/** One line of text at a baseline. */
export function label(style: FigureStyle, x: number, y: number, text: string, attributes: SvgNode['attributes'] = {}): SvgNode {
  return element('text', { x, y, fill: style.softInk, 'font-size': style.fontSize, ...attributes }, [text]);
}
