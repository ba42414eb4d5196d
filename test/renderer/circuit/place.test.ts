/** The explorer's address: what it shows is read back from it, and of a saved circuit only what was changed is there. */
import { describe, expect, it } from 'vitest';
import { type CircuitPlace, firstPlace, placeQuery, readPlace } from '../../../src-renderer/circuit/circuit-place.ts';

const read = (query: string, first: CircuitPlace = firstPlace) => readPlace(new URLSearchParams(query), first);

describe('the place in the address', () => {
  const place: CircuitPlace = {
    tab: 'circuit',
    stage: 'finetune',
    item: 0,
    seed: 2,
    minus: 'run-2',
    minusStage: 'step-100',
    view: 'heads',
    token: 4,
    components: ['mlp.3.t5', 'attn.1.h0.t2'],
  };

  it('is read back as it was written', () => {
    expect(placeQuery(firstPlace, firstPlace, null)).toBe('');
    expect(read(placeQuery(place, firstPlace, null))).toEqual(place);
    expect(read(placeQuery({ ...place, stage: '' }, firstPlace, null)).stage).toBe('');
  });

  it('names a saved circuit, and what was changed since it was opened', () => {
    const saved: CircuitPlace = { ...firstPlace, tab: 'circuit', stage: 'finetune', seed: 1, item: 3 };
    expect(placeQuery(saved, saved, 7)).toBe('?circuit=7');
    const changed: CircuitPlace = { ...saved, tab: 'maps', seed: null, item: -1 };
    const query = placeQuery(changed, saved, 7);
    expect(query).toBe('?circuit=7&tab=maps&item=average&seed=mean');
    expect(read(query, saved)).toEqual(changed);
  });

  it('leaves out what makes no sense', () => {
    expect(read('?tab=nowhere&item=x&seed=-1&view=all&token=1.5&component=')).toEqual(firstPlace);
  });
});
