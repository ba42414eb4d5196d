/** Numbers, times, CSV and YAML as text. */

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { plottedCsv, toCsv } from '../../src-renderer/text/csv.ts';
import { fileName } from '../../src-renderer/text/download.ts';
import {
  baseName,
  formatChance,
  formatCount,
  formatDuration,
  formatNumber,
  formatRank,
  stageName,
} from '../../src-renderer/text/format.ts';
import { hasWords, searchWords } from '../../src-renderer/text/search-words.ts';
import { toYaml } from '../../src-renderer/text/yaml.ts';

describe('format', () => {
  it('writes ranks and chance', () => {
    expect([formatRank(0), formatRank(1.005), formatRank(null), formatRank(Number.NaN)]).toEqual(['0.00', '1.00', '–', '–']);
    expect([formatRank(-1.25), formatRank(-0.001)]).toEqual(['−1.25', '0.00']);
    expect([formatChance(9.5), formatChance(7)]).toEqual(['9.5', '7']);
  });
  it('writes numbers with three digits', () => {
    expect([0, 12, 0.0003, 3e-6, 1.23456, 123456.7].map(formatNumber)).toEqual(['0', '12', '3e-4', '3e-6', '1.23', '1.23e+5']);
  });
  it('writes durations', () => {
    expect([0.25, 9.96, 42.4, 59.7, 185, 7800, 86400, -1].map(formatDuration)).toEqual([
      '250 ms',
      '10 s',
      '42 s',
      '1 min',
      '3 min 5 s',
      '2 h 10 min',
      '24 h',
      '–',
    ]);
  });
  it('writes counts', () => {
    expect([1_310_000, 6_888_000_000, 412].map(formatCount)).toEqual(['1.31 M', '6.89 B', '412']);
  });
  it('writes stages for people', () => {
    expect(['left_first.1', 'joint.finetune', 'nothing frozen', 'left_2'].map(stageName)).toEqual([
      'left first, stage 2',
      'joint, finetuning',
      'nothing frozen',
      'left 2',
    ]);
  });
  it('names a path by its last folder', () => {
    expect([baseName('/a/b/'), baseName('C:\\models\\llama'), baseName('small-world'), baseName('/')]).toEqual([
      'b',
      'llama',
      'small-world',
      '/',
    ]);
  });
});

describe('csv', () => {
  it('quotes what needs it and keeps full precision', () => {
    expect(
      toCsv(
        ['a', 'b'],
        [
          ['x,"y"', 0.1 + 0.2],
          ['line\nbreak', null],
        ],
      ),
    ).toBe('a,b\r\n"x,""y""",0.30000000000000004\r\n"line\nbreak",\r\n');
  });
  it('lists seeds, mean and chance of a figure', () => {
    const curve = { set: 'facts', seeds: [{ seed: 2, points: [{ x: 0, y: 4.5 }] }], mean: [{ x: 0, y: 4.5 }], chance: 9.5 };
    expect(plottedCsv([{ figure: 'mean rank', x: 'epoch', curves: [curve] }], 'Model m.').split('\r\n')).toEqual([
      'figure,set,seed,x_axis,x,value,source',
      'mean rank,facts,2,epoch,0,4.5,Model m.',
      'mean rank,facts,mean,epoch,0,4.5,Model m.',
      'chance level,facts,,,,9.5,Model m.',
      '',
    ]);
  });
  it('makes file names of titles', () => {
    expect(fileName('OCR: first hop, 3e-4!', 'csv')).toBe('ocr-first-hop-3e-4.csv');
    expect(fileName('…', 'csv')).toBe('hopscope.csv');
  });
});

describe('yaml', () => {
  const pairs = Array.from({ length: 12 }, (_, index) => [`Name ${index} lives in`, 'Oslo: "the" city']);
  const spec = {
    experiment: 'ocr',
    model: '/data/my models/llama #3',
    dataset: { train: pairs, test: [], options: { train: ['yes', 'no', 'null', '3', ''], test: [] } },
    lr: 3e-4,
    tiny: 1e-7,
    seeds: [0, 1, 2],
    trainable: { layers: [0, 1] },
    orders: [
      [[0, 1], [2]],
      [[2, 1], [0]],
    ],
    nothing: null,
    flag: true,
    left_out: undefined,
    words: ['- dash', 'on', '~', ' padded ', 'tab\there', '1e5', '.5', 'a.b'],
  };
  it('reads back as the same value', () => {
    const { left_out: _, ...rest } = spec;
    expect(parse(toYaml(spec))).toEqual(rest);
    expect(parse(toYaml(spec), { version: '1.1' })).toEqual(rest);
  });
  it('is easy on the eye', () => {
    expect(toYaml({ experiment: 'ocr', model: 'small-world', seeds: [0, 1, 2], lr: 3e-4 })).toBe(
      'experiment: ocr\nmodel: small-world\nseeds: [0, 1, 2]\nlr: 0.0003\n',
    );
  });
});

describe('search words', () => {
  it('are all somewhere in the text, whatever the case and the order', () => {
    const found = (typed: string) => hasWords('Data ordering, dax and WUG', searchWords(typed));
    expect(['wug  DATA', ' ord', '', ' \n'].map(found)).toEqual([true, true, true, true]);
    expect(['dax wig', 'data-ordering'].map(found)).toEqual([false, false]);
  });
});
