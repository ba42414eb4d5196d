/** A list of components in a form: read from the spec's JSON, written back as such, and what cannot be added. */
import { expect, test } from 'vitest';
import type { Component } from '../../src-renderer/circuit/components.ts';
import { additionProblem, readComponents, writeComponents } from '../../src-renderer/text/component-list.ts';

const mlp: Component = { part: 'mlp', layer: 3, head: null, token: 7 };
const head: Component = { part: 'attn', layer: 3, head: 1, token: 7 };
const heads: Component = { ...head, head: null };

test('a list comes back as it was, an empty one is left out', () => {
  expect(readComponents(writeComponents([mlp, head]))).toEqual([mlp, head]);
  expect(writeComponents([mlp])).toBe('[{"part":"mlp","layer":3,"head":null,"token":7}]');
  expect(writeComponents([])).toBe('');
  expect(readComponents(' ')).toEqual([]);
});

test.each(['{', '{}', '[1]', '[{"part":"norm","layer":0,"head":null,"token":0}]', '[{"part":"mlp","layer":0,"token":0}]'])(
  '%j is none',
  (draft) => {
    expect(readComponents(draft)).toBeNull();
  },
);

test('what cannot be added', () => {
  expect(additionProblem([], mlp, 4)).toBeNull();
  expect(additionProblem([mlp], heads, null)).toBeNull();
  expect(additionProblem([], { ...mlp, token: Number.NaN }, 4)).toContain('whole numbers');
  expect(additionProblem([], mlp, 3)).toContain('0 to 2');
  expect(additionProblem([mlp], { ...mlp }, 4)).toContain('in the list');
  expect(additionProblem([head], heads, 4)).toContain('overlaps');
  expect(additionProblem([heads], head, 4)).toContain('overlaps');
  expect(additionProblem([head], { ...head, head: 2 }, 4)).toBeNull();
});
