/** Drawings of figures: structure, numbers, escaping, layout; and the same figures as CSV and LaTeX. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Figure, TableFigure } from '../../src-main/shared/figures.ts';
import { drawMap } from '../../src-renderer/figures/map.ts';
import { escapeXml, type SvgNode } from '../../src-renderer/figures/nodes.ts';
import { formatEstimate, formatTick, formatValue, ticks } from '../../src-renderer/figures/numbers.ts';
import { chanceAt, publishedHere } from '../../src-renderer/figures/published.ts';
import { divergingColor, printStyle } from '../../src-renderer/figures/style.ts';
import { drawFigure, figureSvg } from '../../src-renderer/figures/svg.ts';
import { cellOf } from '../../src-renderer/figures/table.ts';
import { textWidth } from '../../src-renderer/figures/text.ts';
import { toCsv } from '../../src-renderer/text/csv.ts';
import { figureCsv } from '../../src-renderer/text/figure-csv.ts';
import { escapeLatex, tableLatex } from '../../src-renderer/text/latex.ts';
import { fakeBars, fakeDiagonal, fakeFigures, fakeLines, fakeMap, fakeScatter, fakeTable } from './fake-figures.ts';

function everyNode(nodes: readonly (SvgNode | string)[]): SvgNode[] {
  return nodes.flatMap((node) => (typeof node === 'string' ? [] : [node, ...everyNode(node.children)]));
}
const nodesOf = (figure: Figure, width = 340) => everyNode(drawFigure(figure, { ...printStyle, width }).nodes);
const textsOf = (nodes: SvgNode[]) => nodes.filter(({ tag }) => tag === 'text').map(({ children }) => String(children[0]));
const marksOf = (nodes: SvgNode[]) => nodes.flatMap(({ mark }) => (mark ? [mark.text] : []));

describe('an SVG file', () => {
  const all = [...Object.values(fakeFigures).flat(), fakeMap('wide', 32, 40, 6)];

  it.each(all.map((figure) => [figure.id, figure] as const))('of %s is balanced, finite and as wide as a column', (_, figure) => {
    const { text, width } = figureSvg(figure);
    expect(text).not.toMatch(/NaN|Infinity|undefined|null/);
    const open: string[] = [];
    for (const [tag, closing, name, selfClosing] of text.matchAll(/<(\/?)([a-zA-Z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
      if (closing) expect(open.pop(), tag).toBe(name);
      else if (!selfClosing) open.push(name!);
    }
    expect(open).toEqual([]);
    expect(figure.kind === 'table' ? width >= 510 : width === 510).toBe(true);
    expect(text).toContain(`<title>${escapeXml(figure.title)}</title>`);
  });

  it('keeps every text inside its width', () => {
    for (const figure of all) {
      const { width } = drawFigure(figure, printStyle);
      for (const { attributes } of nodesOf(figure).filter(({ tag }) => tag === 'text')) {
        expect(Number(attributes.x)).toBeGreaterThanOrEqual(0);
        expect(Number(attributes.x)).toBeLessThanOrEqual(width);
      }
    }
  });

  it('escapes what means something in XML', () => {
    const nasty = '<b>&"\'\u0001]]>';
    const { text } = figureSvg({ ...fakeBars, title: nasty, groups: fakeBars.groups.map(() => nasty) });
    expect(text).not.toContain('<b>');
    expect(text).not.toContain('\u0001');
    expect(text).toContain('&lt;b&gt;&amp;&quot;&apos;\ufffd]]&gt;');
  });

  it('has no style attributes and no addresses from outside', () => {
    for (const figure of all) expect(figureSvg(figure).text).not.toMatch(/style=|href=|url\((?!#)/);
  });
});

describe('bars', () => {
  const nodes = nodesOf(fakeBars);
  it('have a mark for each value that says its numbers', () => {
    expect(marksOf(nodes)).toHaveLength(12);
    const { mean, low, high } = fakeBars.series[1]!.values[1]!;
    const numbers = `${mean.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
    expect(marksOf(nodes)[3]).toBe(`implications, early frozen after training: ${numbers}; paper 8.40 of 20 options, here 6.19`);
    const marks = nodes.filter(({ attributes }) => attributes.stroke === printStyle.ink && attributes['stroke-width'] === 1.4);
    expect(marks).toHaveLength(1 + 11);
  });
  it('rise from 0 in proportion to their means', () => {
    const bars = nodes.filter(({ mark }) => mark);
    const [large, small] = [bars[6]!, bars[3]!].map(({ attributes }) => Number(attributes.height));
    const [first, second] = [fakeBars.series[0]!.values[3]!.mean, fakeBars.series[1]!.values[1]!.mean];
    expect(large! / small!).toBeCloseTo(first / second, 2);
  });
  it('name the paper, the seeds and chance', () => {
    expect(textsOf(nodes)).toEqual(
      expect.arrayContaining([
        'paper, OLMo-7B, in proportion to chance',
        'one seed',
        'range of 3 seeds',
        'chance, facts 9.5',
        'chance, implications 7',
      ]),
    );
  });
  it('leave out what was not measured', () => {
    const missing = {
      mean: null,
      low: null,
      high: null,
      values: [null, null],
    } as unknown as (typeof fakeBars.series)[0]['values'][0];
    const series = fakeBars.series.map((entry) => ({ label: entry.label, values: [missing, ...entry.values.slice(1)] }));
    const drawn = nodesOf({ ...fakeBars, series });
    expect(marksOf(drawn)).toHaveLength(10);
    expect(textsOf(drawn).some((text) => text.startsWith('paper'))).toBe(false);
  });
  it('have the paper beside them only where chance is known, and as it is where options are as many', () => {
    const even = { ...fakeBars, references: [{ label: 'chance', value: 9.5 }] };
    expect(textsOf(nodesOf(even))).toContain('paper, OLMo-7B');
    expect(textsOf(nodesOf({ ...fakeBars, references: [] })).some((text) => text.startsWith('paper'))).toBe(false);
    const references = [
      { label: 'chance, left, assignment 1', value: 7 },
      { label: 'chance, both, assignment 1', value: 19 },
    ];
    expect(chanceAt({ references }, { series: 'with the graft', group: 'implications 1' })).toBe(19);
    expect(chanceAt({ references }, { series: 'with the graft', group: 'facts 2' })).toBe(7);
    expect(chanceAt({ references }, { series: 'with the graft', group: 'elsewhere' })).toBeNull();
    expect(publishedHere({ ...fakeBars, references }, { series: 'x', group: 'implications 1' }, 9.5)).toBe(19);
  });
});

describe('lines', () => {
  it('have rank 0 at the bottom and a mark for each mean', () => {
    const nodes = nodesOf(fakeLines);
    expect(marksOf(nodes)).toHaveLength(39);
    const height = (text: string) =>
      Number(nodes.find(({ tag, children }) => tag === 'text' && children[0] === text)!.attributes.y);
    expect(height('8')).toBeLessThan(height('2'));
    expect(nodes.filter(({ attributes }) => attributes['fill-opacity'] === 0.16)).toHaveLength(3);
  });
  it('are drawn without a legend for one seed of one series', () => {
    const single = {
      ...fakeLines,
      series: [{ label: 'facts', x: [0, 1], y: [9, 0].map((mean) => ({ mean, low: mean, high: mean, values: [mean] })) }],
    };
    expect(textsOf(nodesOf(single))).not.toContain('one seed');
    expect(marksOf(nodesOf(single))).toEqual(['facts, epoch 0: 9.00', 'facts, epoch 1: 0.00']);
  });
});

describe('maps', () => {
  const figure = fakeMap('m', 6, 12, 3);
  const cells = (width: number) => everyNode(drawMap(figure, { ...printStyle, width }).nodes).filter(({ mark }) => mark?.cell);
  it('have a cell for every value, with its place and number', () => {
    expect(cells(340)).toHaveLength(216);
    const cell = cells(340).find(({ mark }) => mark!.cell!.panel === 1 && mark!.cell!.row === 2 && mark!.cell!.column === 3)!;
    expect(cell.mark!.text).toMatch(/^Attention, layer 2, token the: \u2212?0\.\d+$/);
  });
  it('share one scale with zero in the middle', () => {
    const even = {
      ...figure,
      panels: [
        { title: 'a', values: [[2, 0]] },
        { title: 'b', values: [[-1, null]] },
      ],
      rows: { label: 'Layer', names: ['0'] },
      columns: { label: 'Token', names: ['x', 'y'] },
    };
    const drawn = everyNode(drawMap(even, printStyle).nodes);
    const fills = drawn.filter(({ mark }) => mark).map(({ attributes }) => attributes.fill);
    expect(fills).toEqual(['#b2182b', '#f7f7f7', '#92c5de', 'url(#figure-nothing)']);
    expect(textsOf(drawn)).toEqual(expect.arrayContaining(['\u22122', '\u22121', '0', '1', '2']));
  });
  it('stand beside each other where there is room, and below each other where not', () => {
    const lines = (width: number) => new Set(cells(width).map(({ attributes }) => attributes.y)).size / 6;
    expect([lines(1000), lines(340)]).toEqual([1, 2]);
  });
  it('keep narrow panels readable: titles whole where there is room, names apart from the axis, numbers of the scale apart', () => {
    const names = { rows: { label: 'Layer', names: ['0', '1'] }, columns: { label: 'Head', names: ['0', '1', '2'] } };
    const titles = ['Informative: learning implications', 'Downstream: later facts'];
    const narrow = {
      ...figure,
      ...names,
      panels: titles.map((title) => ({
        title,
        values: [
          [0.0473, -0.0237, 0.01],
          [0, 0, 0],
        ],
      })),
    };
    const drawn = everyNode(drawMap(narrow, { ...printStyle, width: 700 }).nodes);
    expect(textsOf(drawn)).toEqual(expect.arrayContaining(titles));
    const placeOf = (text: string) => drawn.find(({ tag, children }) => tag === 'text' && children[0] === text)!.attributes;
    expect(Number(placeOf('Head').y) - Number(placeOf('2').y)).toBeGreaterThan(printStyle.fontSize);
    const scale = drawn
      .filter(({ tag, children }) => tag === 'text' && /^\u2212?0(\.0\d+)?$/.test(String(children[0])))
      .slice(-5);
    const places = scale.map(({ attributes }) => Number(attributes.x));
    for (const [index, x] of places.slice(1).entries())
      expect(x - places[index]!).toBeGreaterThan(textWidth('\u22120.0473', printStyle.fontSize));
  });
  it('are drawn when everything is zero', () => {
    const zero = { ...figure, panels: [{ title: '', values: [[0]] }] };
    expect(figureSvg(zero).text).not.toMatch(/NaN/);
  });
});

describe('scatter', () => {
  it('names correlations and draws the diagonal where asked', () => {
    expect(textsOf(nodesOf(fakeScatter))).toContain('MLP, r = 0.91 [0.84, 0.95]');
    const dashed = (figure: Figure) => nodesOf(figure).filter(({ attributes }) => attributes['stroke-dasharray']).length;
    expect([dashed(fakeScatter), dashed(fakeDiagonal)]).toEqual([0, 1]);
  });
  it('leaves out points and correlations that are no numbers', () => {
    const broken = { ...fakeScatter, correlations: [{ r: null, low: null, high: null }] } as unknown as typeof fakeScatter;
    expect(textsOf(nodesOf(broken))).toContain('MLP');
  });
});

describe('numbers', () => {
  it('have round ticks within the range', () => {
    expect(ticks(0, 10.3, 5)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(ticks(-0.73, 1.2, 4)).toEqual([-0.5, 0, 0.5, 1]);
    expect(ticks(0, 0.3, 3)).toEqual([0, 0.1, 0.2, 0.3]);
    expect(ticks(4, 4, 3)).toEqual([4]);
  });
  it('write estimates', () => {
    expect(formatEstimate({ mean: 0.304, low: 0.2, high: 0.41, values: [0.2, 0.41] })).toBe('0.30 [0.20, 0.41]');
    expect(formatEstimate({ mean: 0.304, low: 0.304, high: 0.304, values: [0.304] })).toBe('0.30');
    // As the runs list has it
    expect([3.275, 3.2750000000000004].map((value) => formatValue(value, 'rank'))).toEqual(['3.27', '3.27']);
    expect([formatValue(-0.051), formatValue(-3), formatValue(-3e-5), formatTick(-3e-5)]).toEqual([
      '−0.051',
      '−3',
      '−3e-5',
      '−3e-5',
    ]);
    expect([cellOf('-1.20'), cellOf('1e-3'), cellOf('a-b')]).toEqual(['−1.20', '1e-3', 'a-b']);
  });
  it('mix colours between stops', () => {
    expect([-1, 0, 1, 0.25, 7].map((share) => divergingColor(['#000000', '#808080', '#ffffff'], share))).toEqual([
      '#000000',
      '#808080',
      '#ffffff',
      '#a0a0a0',
      '#ffffff',
    ]);
  });
  it('paper has the colours of the light theme', () => {
    const tokens = readFileSync(join(import.meta.dirname, '../../src-renderer/styles/tokens.css'), 'utf8').split(
      ':root[data-theme="dark"]',
    )[0]!;
    const token = (name: string) => new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(tokens)?.[1];
    expect(printStyle.series).toEqual(
      ['facts', 'implications', 'other', 'loss', 'fifth', 'sixth'].map((name) => token(`series-${name}`)),
    );
    expect(printStyle.diverging).toEqual(['low', 'below', 'zero', 'above', 'high'].map((name) => token(`diverging-${name}`)));
    expect([printStyle.ink, printStyle.softInk, printStyle.grid, printStyle.reference]).toEqual(
      ['ink', 'ink-2', 'chart-grid', 'chart-reference'].map(token),
    );
  });
});

describe('CSV', () => {
  const rows = (figure: Figure, seeds?: number[]) => figureCsv(figure, seeds).trim().split('\r\n');
  it('of bars has every seed, the paper and chance', () => {
    const [heading, first, ...rest] = rows(fakeBars, [0, 1, 5]);
    expect(heading).toBe('group,series,mean,low,high,seed 0,seed 1,seed 5,paper,"paper, in proportion to chance"');
    const { mean, low, high, values } = fakeBars.series[0]!.values[0]!;
    expect(first).toBe(['nothing frozen', 'facts', mean, low, high, ...values, 0, 0].join(','));
    expect(rest).toHaveLength(13);
    expect(rest.at(-1)).toBe(',"chance, implications",7,,,,,,,');
  });
  it('of lines, maps and points has one row a value', () => {
    expect(rows(fakeLines)[0]).toBe('series,Epoch,mean,low,high,value 1,value 2,value 3');
    expect(rows(fakeLines)).toHaveLength(1 + 39 + 1);
    expect(rows(fakeMap('m', 6, 12, 3))).toHaveLength(1 + 216);
    expect(rows(fakeMap('m', 6, 12, 3))[1]).toBe('MLP,0,The,');
    expect(rows(fakeScatter)[0]).toBe('series,label,Informative score,Downstream score,r,r low,r high');
    expect(rows(fakeScatter)).toHaveLength(121);
  });
  it('ends every row with the figure and where its numbers come from', () => {
    const [heading, ...others] = figureCsv(fakeLines, [], 'Model m; data d (version 2); seed 0. Run r, 2026-11-22.')
      .trim()
      .split('\r\n');
    expect(heading).toBe('series,Epoch,mean,low,high,value 1,value 2,value 3,figure,source');
    const end = toCsv([fakeLines.title, 'Model m; data d (version 2); seed 0. Run r, 2026-11-22.'], []).trim();
    for (const row of others) expect(row.endsWith(`,${end}`), row).toBe(true);
  });
  it('of tables spreads estimates over columns', () => {
    const [heading, , , third, fourth] = rows(fakeTable);
    expect(heading).toBe(
      'Ablated,k,Change of L,Fact rank mean,Fact rank low,Fact rank high,Fact rank value 1,Fact rank value 2,Fact rank value 3,Implication rank mean,Implication rank low,Implication rank high,Implication rank value 1,Implication rank value 2,Implication rank value 3',
    );
    expect(third).toMatch(/^top & <random>,5,-0.051,/);
    expect(fourth!.split(',')).toHaveLength(15);
  });
});

/** What TeX would stumble over in a table: a small strict reader of the commands that may stand there. */
function checkLatex(text: string, columns: number, rows: number): void {
  const known =
    /^(begin|end|centering|caption|label|footnotesize|setlength|tabcolsep|linewidth|toprule|midrule|bottomrule|cdot|text\w+|dots|rightarrow|times|pm|leq|geq|Delta|alpha|beta|[&%$#_{}\\])$/;
  const lines = text.split('\n');
  expect(lines[0]).toBe('% \\usepackage{booktabs}');
  const body = lines.slice(1).join('\n');
  // Beyond ASCII nothing may be left: what a font has is not known here
  expect(body).toMatch(/^[\x20-\x7e\n]*$/);
  const open: string[] = [];
  let [depth, math] = [0, false];
  for (const [token, command] of body.matchAll(/\\([A-Za-z]+|.)|[{}$%#~^_&]/gs)) {
    if (command !== undefined) expect(command).toMatch(known);
    else if (token === '{') depth++;
    else if (token === '}') expect(--depth).toBeGreaterThanOrEqual(0);
    else if (token === '$') math = !math;
    else if (token === '^') expect(math).toBe(true);
    else expect(token).toMatch(/^[&~]$/);
  }
  expect([depth, math]).toEqual([0, false]);
  for (const [, kind, name] of body.matchAll(/\\(begin|end)\{([^}]*)\}/g)) {
    if (kind === 'begin') open.push(name!);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
  const preamble = /\\begin\{tabular\}\{((?:[lr]|p\{[^}]*\})+)\}/.exec(body)![1]!;
  expect(preamble.replaceAll(/p\{[^}]*\}/g, 'p')).toHaveLength(columns);
  const cells = lines.filter((line) => line.endsWith(' \\\\'));
  expect(cells).toHaveLength(rows);
  for (const line of cells) {
    expect(line.replaceAll('\\&', '').split('&')).toHaveLength(columns);
    expect(line.trim().startsWith('[')).toBe(false);
  }
}

describe('LaTeX', () => {
  it('has rules, alignment and nothing unescaped', () => {
    const text = tableLatex({ ...fakeTable, title: '50% of_it' });
    expect(text).toContain('\\begin{tabular}{lrrrr}');
    for (const rule of ['\\toprule', '\\midrule', '\\bottomrule', '\\label{tab:summary}']) expect(text).toContain(rule);
    expect(text).toContain('top \\& \\textless{}random\\textgreater{} & 5 & $-$0.051 &');
    expect(text).toContain('\\caption{50\\% of\\_it. ');
    expect(text).toContain('nothing & 0 & -- &');
  });
  it('escapes commands', () => {
    expect(escapeLatex('\\{a}~^$#')).toBe('\\textbackslash{}\\{a\\}\\textasciitilde{}\\textasciicircum{}\\$\\#');
  });
  it('keeps exponents', () => {
    const table: TableFigure = { ...fakeTable, columns: ['p'], rows: [[3e-5], [-3e-5]] };
    expect(tableLatex(table)).toContain('    $3 \\cdot 10^{-5}$ \\\\\n    $-3 \\cdot 10^{-5}$ \\\\');
  });
  it('goes over both columns of a page, in smaller type, and breaks long texts where it must', () => {
    const wide: TableFigure = { ...fakeTable, columns: ['a', 'b'], rows: [['x'.repeat(30), 'y'.repeat(30)]] };
    expect(tableLatex(wide)).toContain('\\begin{table*}');
    expect(tableLatex(wide)).not.toContain('footnotesize');
    const wider: TableFigure = {
      ...wide,
      columns: ['a', 'b', 'c', 'd'],
      rows: [Array.from({ length: 4 }, () => 'x'.repeat(30))],
    };
    expect(tableLatex(wider)).toContain('\\footnotesize');
    const long: TableFigure = { ...wide, columns: ['a', 'b'], rows: [['x', 'many words '.repeat(9)]] };
    expect(tableLatex(long)).toContain('\\begin{tabular}{lp{0.25\\linewidth}}');
  });
  it('is well formed whatever the cells hold: braces and environments balance, every row has every column, nothing is active', () => {
    const nasty = ['[x]', '50% & more_or {less}', '\\end{table}', 'a\nb', '“quoted” → Δ ≤ 2 ± 1 | "c"', '~^$#'];
    const figures: TableFigure[] = [
      fakeTable,
      {
        ...fakeTable,
        title: nasty.join(' '),
        caption: nasty.join(' '),
        columns: nasty,
        rows: [nasty, nasty.map(() => null), nasty.map(() => -2e-7)],
      },
    ];
    for (const figure of figures) checkLatex(tableLatex(figure, nasty.join(' ')), figure.columns.length, figure.rows.length + 1);
  });
});
