/**
 * A circuit as an SVG file: title, drawing, legend, caption and everything that was written on it, dark on white.
 * The drawing itself is made in drawing.ts.
 */
import { element, round, type SvgNode, serialize } from '../figures/nodes.ts';
import { type FigureStyle, pixelsPerUnit, printStyle } from '../figures/style.ts';
import type { SvgFile } from '../figures/svg.ts';
import { label, shorten, wrap } from '../figures/text.ts';
import { componentAt } from './components.ts';
import { type CircuitPicture, drawCircuit, extentOf, roleColor } from './drawing.ts';
import { roles } from './selection.ts';
import { edgeMeaning, groupLegend, markLegend, roleNames, subjectName } from './words.ts';

const margin = 8;

/** `caption` says what is shown and where the numbers come from. */
export function circuitSvg(picture: CircuitPicture, title: string, caption: string, style: FigureStyle = printStyle): SvgFile {
  const { fontSize } = style;
  const extent = extentOf(picture.layout);
  const width = Math.max(style.width, extent.width) + 2 * margin;
  const inside = width - 2 * margin;
  const line = 1.35 * fontSize;
  const titles = wrap(title, inside, 1.2 * fontSize);
  const top = margin + titles.length * 1.5 * fontSize + 4;
  let y = top + extent.height + line;
  const text: SvgNode[] = [];
  const write = (words: string, x = margin) => {
    text.push(label(style, x, y, words, { fill: style.ink }));
    y += line;
  };
  for (const role of roles) {
    text.push(element('circle', { cx: margin + 4, cy: y - 0.35 * fontSize, r: 4, fill: roleColor(style, role) }));
    write(shorten(roleNames[role], inside - 14, fontSize), margin + 14);
  }
  for (const paragraph of paragraphsOf(picture, caption)) for (const words of wrap(paragraph, inside, fontSize)) write(words);
  const height = Math.ceil(y + margin);
  const root = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width: round(pixelsPerUnit * width),
      height: round(pixelsPerUnit * height),
      viewBox: `0 0 ${round(width)} ${height}`,
      'font-family': style.fontFamily,
    },
    [
      element('title', {}, [title]),
      element('desc', {}, [caption]),
      element('rect', { width: round(width), height, fill: style.paper }),
      ...titles.map((each, index) =>
        label(style, margin, margin + (index + 0.9) * 1.5 * fontSize, each, {
          fill: style.ink,
          'font-size': 1.12 * fontSize,
          'font-weight': 600,
        }),
      ),
      element('g', { transform: `translate(${margin} ${round(top)})` }, drawCircuit({ ...picture, selected: new Set() }, style)),
      ...text,
    ],
  );
  return {
    text: `<?xml version="1.0" encoding="UTF-8"?>\n${serialize(root)}\n`,
    width: pixelsPerUnit * width,
    height: pixelsPerUnit * height,
    title,
    description: caption,
  };
}

/** What stands under the drawing: how to read it, what it shows, what collapsed groups have in them, and notes. */
function paragraphsOf({ layout, marks, tokens, difference }: CircuitPicture, caption: string): string[] {
  const collapsed = layout.nodes.flatMap(({ group, parts }) =>
    group === null ? [] : [`${group.name}: ${parts.map((part) => componentAt(part, tokens)).join('; ')}.`],
  );
  const notes = Object.entries(marks.notes).map(([subject, note]) => `${subjectName(marks, tokens, subject)}: ${note}`);
  return [markLegend(difference), ...(collapsed.length > 0 ? [groupLegend] : []), edgeMeaning, caption, ...collapsed, ...notes];
}
