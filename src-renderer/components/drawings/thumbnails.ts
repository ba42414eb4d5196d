/**
 * A small drawing of each experiment's idea on a grid of 160 x 72, by the experiment's id, and one for experiments without their own.
 * Kinds name colours: known things are grey, facts and implications have the colours they have everywhere.
 */
export type Kind = 'known' | 'fact' | 'implied' | 'frozen' | 'low' | 'high' | 'weak';

export type Shape =
  | { kind: Kind; box: [x: number, y: number, width: number, height: number] }
  | { kind: Kind; dot: [x: number, y: number] }
  | { kind: Kind; line: string; dashed?: boolean };

/** Six layers as bars, the first at the bottom. */
function stack(x: number, kinds: readonly Kind[], width = 36): Shape[] {
  return kinds.map((kind, layer): Shape => ({ kind, box: [x, 58 - 10 * layer, width, 7] }));
}

/** A map of the given cells, rows from the top. */
function map(x: number, rows: readonly string[]): Shape[] {
  const kinds: { [letter: string]: Kind } = { '.': 'frozen', '-': 'low', '+': 'high' };
  return rows.flatMap((row, y) =>
    [...row].map((letter, column): Shape => ({ kind: kinds[letter] ?? 'weak', box: [x + 10 * column, 12 + 10 * y, 9, 9] })),
  );
}

const fallback: readonly Shape[] = [
  { kind: 'known', line: 'M16 60H148M16 60V10' },
  { kind: 'fact', line: 'M18 22C40 24 44 54 70 57H146' },
  { kind: 'implied', line: 'M18 20C60 22 66 44 104 48H146' },
];

const own: { readonly [experiment: string]: readonly Shape[] } = {
  ocr: [
    { kind: 'implied', line: 'M22 44C40 4 120 4 138 40', dashed: true },
    { kind: 'fact', line: 'M30 52H72' },
    { kind: 'known', line: 'M88 52H130' },
    { kind: 'known', dot: [22, 52] },
    { kind: 'known', dot: [80, 52] },
    { kind: 'implied', dot: [138, 52] },
  ],
  'layer-freezing': [
    ...stack(14, ['fact', 'fact', 'fact', 'fact', 'frozen', 'frozen']),
    ...stack(62, ['frozen', 'frozen', 'frozen', 'frozen', 'implied', 'implied']),
    ...stack(110, ['fact', 'fact', 'fact', 'fact', 'implied', 'implied']),
  ],
  'data-ordering': [0, 1, 2].flatMap((row): Shape[] => {
    const order: Kind[][] = [
      ['fact', 'implied', 'fact', 'implied'],
      ['fact', 'fact', 'implied', 'implied'],
      ['implied', 'implied', 'fact', 'fact'],
    ];
    return [
      ...order[row]!.map((kind, place): Shape => ({ kind, box: [14 + 22 * place, 12 + 18 * row, 19, 11] })),
      { kind: 'known', line: `M106 ${17.5 + 18 * row}H120` },
      { kind: 'fact', box: [126, 12 + 18 * row, 19, 11] },
    ];
  }),
  'weight-grafting': [
    ...stack(14, ['known', 'known', 'implied', 'implied', 'known', 'known']),
    { kind: 'implied', line: 'M56 36C74 18 86 18 104 34', dashed: true },
    ...stack(110, ['fact', 'fact', 'implied', 'implied', 'fact', 'fact']),
  ],
  'extractive-scores': map(24, ['..+.....-...', '..++....--..', '..+.....+...', '...-....++..', '........++..']),
  localization: [
    ...map(8, ['..+..', '.++..', '..-..', '...+.', '.....']),
    ...map(66, ['..+..', '.+...', '..-..', '..++.', '.....']),
    { kind: 'known', line: 'M124 60H152M124 60V12' },
    { kind: 'fact', dot: [130, 52] },
    { kind: 'fact', dot: [136, 42] },
    { kind: 'fact', dot: [142, 30] },
    { kind: 'fact', dot: [148, 20] },
  ],
  emergence: [
    { kind: 'known', line: 'M14 60H150M14 60V10' },
    { kind: 'weak', line: 'M46 60V14M80 60V14M114 60V14', dashed: true },
    { kind: 'fact', line: 'M16 16C30 18 34 50 54 56H148' },
    { kind: 'implied', line: 'M16 14C78 14 84 20 100 40S130 54 148 55' },
  ],
  ablation: [
    ...stack(36, ['known', 'fact', 'frozen', 'implied', 'known', 'known'], 60),
    { kind: 'high', line: 'M60 36L72 48M72 36L60 48' },
    { kind: 'implied', line: 'M104 62C124 62 128 44 128 16' },
    { kind: 'implied', dot: [128, 14] },
  ],
  sweep: [0, 1, 2, 3].flatMap((row) =>
    [0, 1, 2, 3, 4, 5].map(
      (column): Shape => ({
        kind: row + column > 5 ? 'implied' : row + column > 3 ? 'fact' : 'frozen',
        box: [34 + 16 * column, 8 + 15 * row, 13, 12],
      }),
    ),
  ),
};

export function thumbnailOf(experiment: string): readonly Shape[] {
  return own[experiment] ?? fallback;
}
