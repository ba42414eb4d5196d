/** Given batches that do not fit the items: the message says which index is wrong and where. */
import { expect, test } from 'vitest';
import { checkOrder } from '../../../src-main/engine/training/finetune.ts';

test('an order must hold every item once in every epoch, and what does not is named', () => {
  expect(() => checkOrder([[[0, 1], [2]], [[2, 0, 1]]], 3)).not.toThrow();
  const wrong: [number[][][], RegExp][] = [
    [[[[0, 1], [3]]], /epoch 0 .* 3 in its batch 1 is out of range/],
    [[[[0, 1, 2]], [[0], [-1, 2]]], /epoch 1 .* -1 in its batch 1 is out of range/],
    [
      [
        [
          [0, 1],
          [1, 2],
        ],
      ],
      /1 is there twice, also in its batch 1/,
    ],
    [[[[0, 2]]], /1 is missing/],
    [[[[0, 1, 2], []]], /its batch 1 is empty/],
  ];
  for (const [order, message] of wrong) expect(() => checkOrder(order, 3)).toThrow(message);
});
