/**
 * A table as LaTeX with the rules of the booktabs package, to be put into a paper as it is.
 */
import type { TableFigure } from '../../src-main/shared/figures.ts';
import { cellOf, isNumeric } from '../figures/table.ts';

const special: { [character: string]: string } = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '−': '$-$',
  '–': '--',
  '→': '$\\rightarrow$',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
};

/** Text in which nothing is a command. */
export function escapeLatex(text: string): string {
  return text.replace(/[\\~^−–→<>&%$#_{}]/g, (character) => special[character] ?? `\\${character}`);
}

/** `\begin{table}` to `\end{table}`: columns of numbers to the right, caption and label included; `provenance` ends the caption. */
export function tableLatex(figure: TableFigure, provenance = ''): string {
  const columns = figure.columns.map((_, column) => (isNumeric(figure, column) ? 'r' : 'l')).join('');
  const line = (cells: readonly string[]) => `    ${cells.join(' & ')} \\\\`;
  const rows = figure.rows.map((row) =>
    line(figure.columns.map((_, column) => numberOr(cellOf(row[column] ?? null), isNumeric(figure, column)))),
  );
  return [
    '% \\usepackage{booktabs}',
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${escapeLatex([`${figure.title}.`, figure.caption, provenance].filter(Boolean).join(' '))}}`,
    `  \\label{tab:${figure.id.replace(/[^A-Za-z0-9-]+/g, '-')}}`,
    `  \\begin{tabular}{${columns}}`,
    '    \\toprule',
    line(figure.columns.map(escapeLatex)),
    '    \\midrule',
    ...rows,
    '    \\bottomrule',
    '  \\end{tabular}',
    '\\end{table}',
    '',
  ].join('\n');
}

/** Hyphens before digits are minus signs in columns of numbers. */
function numberOr(text: string, numeric: boolean): string {
  return numeric ? escapeLatex(text).replace(/(?<![\de])-(?=\d)/g, '$-$') : escapeLatex(text);
}
