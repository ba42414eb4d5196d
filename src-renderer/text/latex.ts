/**
 * A table as LaTeX with the rules of the booktabs package, to be put into a paper as it is; no other package is needed.
 * How wide it will be is estimated from its letters: it is never compiled here.
 */
import type { TableFigure } from '../../src-main/shared/figures.ts';
import { cellOf, numericColumns } from '../figures/table.ts';
import { textWidth } from '../figures/text.ts';

const special: { [character: string]: string } = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '−': '$-$',
  '–': '--',
  '—': '---',
  '…': '\\dots{}',
  '→': '$\\rightarrow$',
  '×': '$\\times$',
  '·': '$\\cdot$',
  '±': '$\\pm$',
  '≤': '$\\leq$',
  '≥': '$\\geq$',
  '²': '$^2$',
  Δ: '$\\Delta$',
  α: '$\\alpha$',
  β: '$\\beta$',
  '“': '``',
  '”': "''",
  '‘': '`',
  '’': "'",
  '\u00a0': '~',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
};

/** Text in which nothing is a command. */
export function escapeLatex(text: string): string {
  return text
    .replace(/\s*\n\s*/g, ' ')
    .replace(/[\\~^−–—…→×·±≤≥²Δαβ“”‘’\u00a0<>|&%$#_{}]/g, (character) => special[character] ?? `\\${character}`);
}

/** Widths in TeX points: of a column, and of both; and how much of it columns take besides their text. */
const columnPoints = 241;
const pagePoints = 505;
const columnGap = 12;
const typePoints = 10;

/** Letters from which on texts are broken into lines. */
const longText = 36;

/**
 * `\begin{table}` to `\end{table}`: columns of numbers to the right, caption and label included; `provenance` ends the caption. A table too
 * wide for one column of a page goes over both, and in smaller type where that is not enough.
 */
export function tableLatex(figure: TableFigure, provenance = ''): string {
  const numeric = numericColumns(figure);
  const texts = figure.rows.map((row) => figure.columns.map((_, column) => cellOf(row[column] ?? null)));
  const long = figure.columns.map((_, column) => !numeric[column] && texts.some((row) => row[column]!.length > longText));
  const widths = figure.columns.map((name, column) =>
    Math.max(
      ...[name, ...texts.map((row) => row[column]!)].map((text) =>
        textWidth(long[column] ? text.slice(0, longText) : text, typePoints),
      ),
    ),
  );
  const width = widths.reduce((sum, entry) => sum + entry + columnGap, 0);
  const environment = width > columnPoints ? 'table*' : 'table';
  const columns = figure.columns.map((_, column) => (numeric[column] ? 'r' : long[column] ? 'p{0.25\\linewidth}' : 'l')).join('');
  const line = (cells: readonly string[]) => `    ${cells.join(' & ')} \\\\`;
  return [
    '% \\usepackage{booktabs}',
    `\\begin{${environment}}`,
    '  \\centering',
    `  \\caption{${escapeLatex([`${figure.title}.`, figure.caption, provenance].filter(Boolean).join(' '))}}`,
    `  \\label{tab:${figure.id.replace(/[^A-Za-z0-9-]+/g, '-')}}`,
    ...(width > pagePoints ? ['  \\footnotesize', '  \\setlength{\\tabcolsep}{3pt}'] : []),
    `  \\begin{tabular}{${columns}}`,
    '    \\toprule',
    line(figure.columns.map((name) => cellLatex(name, false))),
    '    \\midrule',
    ...texts.map((row) => line(row.map((text, column) => cellLatex(text, numeric[column]!)))),
    '    \\bottomrule',
    '  \\end{tabular}',
    `\\end{${environment}}`,
    '',
  ].join('\n');
}

/** In columns of numbers, hyphens before digits are minus signs and exponents powers of ten. */
function cellLatex(text: string, numeric: boolean): string {
  // A bracket at a row's start would be read as an option of the row before.
  const escaped = escapeLatex(numeric ? text.replaceAll('−', '-') : text).replace(/^\[/, '{[}');
  if (!numeric) return escaped;
  return escaped.replace(
    /(?<![\de.])(-?)(\d+(?:\.\d+)?)(?:e(-?\d+))?(?![\d.])/g,
    (_, sign: string, digits: string, power?: string) =>
      power === undefined ? `${sign === '' ? '' : '$-$'}${digits}` : `$${sign}${digits} \\cdot 10^{${power}}$`,
  );
}
