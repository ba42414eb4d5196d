/**
 * Generated rows of fake-host.ts: facts, implications, evaluations and steps, made up by formula and the same every time.
 */
import type { EvaluationRow, ItemSet, StepRow } from '../../src-main/shared/records.ts';

/** The time at which everything made up was made; pictures of it freeze the clock there. */
export const fakeNow = Date.UTC(2026, 2, 14, 9, 30);

const cities = 'Arvane Belcor Calduin Dornith Elmsway Farrow Gildon Hathmoor Ivelle Jorvane'.split(' ');
const languages = 'Arvish Belic Caldan Dornese Elmic'.split(' ');
const people = Array.from(
  { length: 20 },
  (_, index) =>
    `${'Ada Bram Cleo Dina Emil'.split(' ')[index % 5]} ${'Harlow Quist Vandermeer-Oxenstierna Tam'.split(' ')[index % 4]}`,
);

/** Facts and implications of 20 people, 10 cities and 5 languages. */
export function fakeSets(): ItemSet[] {
  const city = people.map((_, index) => (index * 3) % cities.length);
  const language = city.map((place) => place % languages.length);
  return [
    {
      set: 'facts',
      pairs: people.map((name, index) => [`${name} lives in`, cities[city[index]!]!]),
      options: cities,
      candidates: cities.map((_, index) => 100 + index),
      labels: cities,
      answers: city,
    },
    {
      set: 'implications',
      pairs: people.map((name, index) => [`The people in the city ${name} is from speak`, languages[language[index]!]!]),
      options: languages,
      candidates: languages.map((_, index) => 200 + index),
      labels: languages,
      answers: language,
    },
  ];
}

/** The four lists of nonce words, in two assignments. */
export function fakeDaxwugSets(): ItemSet[] {
  const [facts, implications] = fakeSets() as [ItemSet, ItemSet];
  return ['assignment 1', 'assignment 2'].flatMap((assignment) => [
    {
      ...facts,
      set: `left, ${assignment}`,
      pairs: facts.pairs.map(([prompt, answer]) => [prompt.replace('lives in', 'dax is'), answer]),
    },
    {
      ...implications,
      set: `both, ${assignment}`,
      pairs: implications.pairs.map(([, answer], index) => [`${people[index]!} zong is the`, answer]),
    },
  ]);
}

/** A number in [0, 1) that depends on nothing but its arguments. */
export function noise(...keys: number[]): number {
  const value = Math.sin(keys.reduce((sum, key, place) => sum + (key + 1) * (12.9898 + 65.233 * place), 0.5)) * 43758.5453;
  return value - Math.floor(value);
}

/** An evaluation whose right answers rise with the epoch: facts quickly, implications later. */
export function fakeEvaluation(set: ItemSet, seed: number, epoch: number, stage = 'finetune'): EvaluationRow {
  const drive = /^(facts|left)/.test(set.set) ? epoch * 1.4 : Math.max(0, epoch - 2) * 0.55;
  const items = set.pairs.map((_, item) => {
    const logits = set.candidates.map(
      (_, candidate) => 4 * noise(item, candidate, seed, set.pairs.length) + (candidate === set.answers[item] ? drive : 0) - 2,
    );
    const right = logits[set.answers[item]!]!;
    return { item, logits, rank: logits.filter((logit) => logit > right).length };
  });
  const meanRank = items.reduce((sum, item) => sum + item.rank, 0) / items.length;
  return { seed, stage, epoch, set: set.set, meanRank, loss: 5 * Math.exp(-drive / 3), items };
}

/** Three steps an epoch, the loss falling. */
export function fakeSteps(seed: number, epochs: number, stage = 'finetune'): StepRow[] {
  return Array.from({ length: 3 * epochs }, (_, step) => ({
    seed,
    stage,
    epoch: Math.floor(step / 3),
    step: step + 1,
    loss: 4.6 * Math.exp(-step / 7) + 0.3 * noise(step, seed),
    seconds: 0.09,
  }));
}
