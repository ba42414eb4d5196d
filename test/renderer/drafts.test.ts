/** Settings as text: what is read, what is refused, and that text and value are each other's inverse. */
import { describe, expect, it } from 'vitest';
import type { Json, Parameter } from '../../src-main/shared/records.ts';
import { draftOf, readDraft } from '../../src-renderer/text/drafts.ts';

function parameter(kind: Parameter['kind'], more: Partial<Parameter> = {}): Parameter {
  return { name: 'x', label: 'X', help: '', kind, ...more };
}

describe('readDraft', () => {
  it('reads numbers in both notations and keeps to the range', () => {
    const rate = parameter('number', { minimum: 0, maximum: 1 });
    expect(readDraft(rate, ' 3e-4 ')).toEqual({ value: 3e-4, problem: null });
    expect(readDraft(rate, '2').problem).toBe('Between 0 and 1.');
    expect(readDraft(rate, 'fast').problem).toMatch(/number/);
    expect(readDraft(parameter('integer', { minimum: 1 }), '0').problem).toBe('At least 1.');
    expect(readDraft(parameter('integer'), '1.5').problem).toMatch(/whole/);
    expect(readDraft(parameter('integer'), '99999999999999999999').problem).toMatch(/large/);
  });

  it('reads lists of integers however they are separated, each once', () => {
    const seeds = parameter('integers', { minimum: 0 });
    for (const text of ['0, 1, 2', '0 1 2', '[0,1,2]']) expect(readDraft(seeds, text).value).toEqual([0, 1, 2]);
    expect(readDraft(seeds, '1, 1').problem).toMatch(/once/);
    expect(readDraft(seeds, '1, -1').problem).toBe('At least 0.');
    expect(readDraft(seeds, ',').problem).toMatch(/whole numbers/);
  });

  it('leaves out what has a default or is optional, and asks for the rest', () => {
    expect(readDraft(parameter('integer', { default: 3 }), '')).toEqual({ value: undefined, problem: null });
    expect(readDraft(parameter('orders', { optional: true }), ' ')).toEqual({ value: undefined, problem: null });
    expect(readDraft(parameter('integer'), '').problem).toBe('X is needed.');
    expect(readDraft(parameter('model', { default: 'small-world' }), '').problem).toMatch(/folder/);
  });

  it('knows choices, trainable weights and inline data', () => {
    const device = parameter('choice', { choices: [{ value: 'cpu', label: 'CPU' }] });
    expect(readDraft(device, 'cpu').value).toBe('cpu');
    expect(readDraft(device, 'tpu').problem).toMatch(/cpu/);
    expect(readDraft(parameter('trainable'), '{"layers":[0,1]}').value).toEqual({ layers: [0, 1] });
    expect(readDraft(parameter('trainable'), '{"layers":[]}').problem).toMatch(/layer/);
    expect(readDraft(parameter('trainable'), '[]').problem).toMatch(/tensor/);
    expect(readDraft(parameter('dataset'), '{"train": []}').value).toEqual({ train: [] });
    expect(readDraft(parameter('dataset'), '{oops').problem).toMatch(/JSON/);
  });

  it('reads kinds it does not know as JSON, or as a text', () => {
    const models = parameter('models' as Parameter['kind'], { optional: true });
    expect(readDraft(models, '["a", "b"]').value).toEqual(['a', 'b']);
    expect(readDraft(models, 'true').value).toBe(true);
    expect(readDraft(models, '/data/models/llama').value).toBe('/data/models/llama');
    expect(readDraft(models, '["a"').problem).toMatch(/JSON/);
    expect(readDraft(models, '')).toEqual({ value: undefined, problem: null });
  });

  it('writes small numbers in one notation', () => {
    expect([0.001, 3e-4, 0.01, 0, -0.002].map(draftOf)).toEqual(['1e-3', '3e-4', '0.01', '0', '-2e-3']);
  });

  it('refuses what the command line would refuse, in its words', () => {
    const memory = parameter('memory', { optional: true });
    expect(readDraft(memory, '8GiB').value).toBe('8GiB');
    expect(readDraft(memory, '1000000').value).toBe(1_000_000);
    for (const text of ['abc', '-1', '0'])
      expect(readDraft(memory, text).problem).toBe(`“${text}” is not a number of bytes, such as 8GiB or 900MB.`);
    expect(readDraft(parameter('prompt'), '{"prompt":"a","answer":""}').problem).toMatch(/two texts/);
    expect(readDraft(parameter('counterfactuals'), '{"count":"ten","seed":3}').problem).toMatch(/^This is not all/);
    expect(readDraft(parameter('counterfactuals'), 'all').value).toBe('all');
    expect(readDraft(parameter('orders'), '[[[0, -1]]]').problem).toMatch(/item indices/);
    expect(readDraft(parameter('trainables'), '{"Set 1":{"layers":[]}}').problem).toBe('Set 1: Choose at least one layer.');
  });

  it('takes no row of a list of folders that was left empty', () => {
    const folders = parameter('folders', { optional: true });
    expect(readDraft(folders, '["/models/step 1",""]').value).toEqual(['/models/step 1']);
    expect(readDraft(folders, '[""]')).toEqual({ value: undefined, problem: null });
    expect(readDraft(folders, '[1]').problem).toMatch(/list of folders/);
  });

  it('reads back what draftOf writes', () => {
    const cases: [Parameter['kind'], Json][] = [
      ['number', 3e-6],
      ['integers', [0, 1, 2]],
      ['trainable', 'mlp_attn'],
      ['trainable', { layers: [2, 3] }],
      ['trainable', { except: { layers: [3], modules: ['mlp'] } }],
      ['components', [{ part: 'mlp', layer: 3, head: null, token: 7 }]],
      ['trainable', ['model.norm.weight']],
      ['dataset', { train: [['a', 'b']], test: [] }],
      ['orders', [[[0, 1], [2]]]],
    ];
    for (const [kind, value] of cases) expect(readDraft(parameter(kind), draftOf(value)).value).toEqual(value);
  });
});
