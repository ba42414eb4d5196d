/**
 * Components that a spec names for ablation, as they are in one list: their sites in the order given, their names, and those that lie beyond the
 * list's prompt. It measures nothing; which prompt a list's tokens are counted over is said here too.
 */
import { checkComponent, nameOf, type Site } from '../engine/execution/interventions.ts';
import type { Model } from '../engine/models/model.ts';
import { type Example, encodePair } from '../engine/training/batch.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Figure } from '../shared/figures.ts';
import type { ExperimentSpec, Pair } from '../shared/records.ts';
import { type AblationSettings, type ChosenComponent, type ListName, listNames, settingsOf } from './ablation-settings.ts';
import { accumulationOf } from './scoring.ts';

/** How the lists are called where they are stored. */
const stored: Record<ListName, string> = { train: 'facts', test: 'implications' };

export interface NamedComponent extends ChosenComponent {
  /** `MLP 3 at token 7 “is”`. */
  name: string;
}

/** The chosen components in one list. */
export interface ChosenInList {
  /** In the order in which they are replaced. */
  components: NamedComponent[];
  /** Those whose token the list's prompt does not have. */
  left_out: NamedComponent[];
}

/** One list as it is ablated: over which prompt's tokens, and by which settings. */
export interface ListPlan {
  reference: Example;
  /** With chosen components, those of the list and the numbers of them that are replaced. */
  settings: AblationSettings;
  /** Null where a score orders the components. */
  chosen: ChosenInList | null;
}

/**
 * Plans of both lists. `pairs`: of each; encoded here only where chosen components need it.
 * Errors: `BadSpec` for chosen components without `by: chosen` and the other way round, `ComponentOutsideModel`, `ComponentTwice`,
 * `TokenOutsidePrompt` for one that no list has, `BadPair`.
 */
export function planLists(
  spec: ExperimentSpec,
  model: Model,
  pairs: Readonly<Record<ListName, readonly Pair[]>>,
): Record<ListName, ListPlan> {
  const settings = settingsOf(spec);
  const components = settings.components ?? null;
  requireTogether(spec);
  if (components !== null) requireComponents(model, components);
  const plans = Object.fromEntries(listNames.map((list) => [list, planOf(spec, model, list, pairs[list], components)])) as Record<
    ListName,
    ListPlan
  >;
  const nowhere = components?.find((_, index) => listNames.every((list) => isLeftOut(plans[list], components[index]!)));
  if (nowhere !== undefined) {
    const lengths = listNames.map((list) => `${stored[list]} 0 to ${plans[list].reference.questionEnd}`);
    throw new HopscopeError(
      'TokenOutsidePrompt',
      `components: ${nameAt(nowhere)} is beyond the prompts of both lists; the tokens of ${lengths.join(', of ')}.`,
    );
  }
  return plans;
}

/** What is said of components that a list does not have; null where it has all. */
export function leftOutWarning(list: ListName, { chosen, reference }: ListPlan): string | null {
  if (chosen === null || chosen.left_out.length === 0) return null;
  const names = chosen.left_out.map(({ name }) => name).join(', ');
  const rest = chosen.components.length === 0 ? ' None is left, so nothing chosen is replaced there.' : '';
  return `The prompts of the ${stored[list]} end with token ${reference.questionEnd}: left out of them ${chosen.left_out.length === 1 ? 'is' : 'are'} ${names}.${rest}`;
}

/** Names that a caption has room for; the table below has all. */
const mostNames = 8;

/** What is replaced in one list, for a caption. */
export function namesIn({ components }: ChosenInList): string {
  const more = components.length - mostNames;
  const names = components.slice(0, mostNames).map(({ name }) => name);
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** What was replaced and what was left out, by name and list; nothing where no components were chosen. */
export function chosenTable(lists: Readonly<Record<ListName, { chosen?: ChosenInList }>>): Figure[] {
  const rows = listNames.toReversed().flatMap((list) => {
    const { components = [], left_out = [] } = lists[list].chosen ?? {};
    return [
      ...components.map(({ name }, index) => [stored[list], name, `replaced, number ${index + 1}`]),
      ...left_out.map(({ name }) => [stored[list], name, 'left out: beyond the prompt']),
    ];
  });
  if (rows.length === 0) return [];
  return [
    {
      id: 'chosen',
      kind: 'table',
      title: 'Chosen components',
      caption:
        'What was replaced in each list, in this order. Tokens are counted, from 0, over the prompt that scores are averaged over; each item’s aligned token is replaced.',
      columns: ['List', 'Component', 'In this list'],
      rows,
    },
  ];
}

/** The sites of chosen components; all heads of a layer where none is named. */
export function sitesOf(components: readonly ChosenComponent[], heads: number): Site[] {
  return components.flatMap(({ part, layer, head, token }) =>
    part === 'attn' && head === null
      ? Array.from({ length: heads }, (_, each) => ({ layer, head: each, token }))
      : [{ layer, head, token }],
  );
}

const siteKey = ({ layer, head, token }: Site): string => `${layer} ${head} ${token}`;

/** All sites, the chosen ones first. */
export function chosenFirst(sites: readonly Site[], chosen: readonly Site[]): Site[] {
  const keys = new Set(chosen.map(siteKey));
  return [...chosen, ...sites.filter((site) => !keys.has(siteKey(site)))];
}

function planOf(
  spec: ExperimentSpec,
  model: Model,
  list: ListName,
  pairs: readonly Pair[],
  components: readonly ChosenComponent[] | null,
): ListPlan {
  const { tokenizer } = model;
  const settings = settingsOf(spec);
  if (components === null) return { reference: encodePair(tokenizer, pairs[0]!), settings, chosen: null };
  const examples = pairs.map((pair) => encodePair(tokenizer, pair));
  const { example: reference, tokens } = accumulationOf(tokenizer, list === 'test' ? spec.accumulation : undefined, {
    items: { pairs },
    examples,
  });
  const named = components.map((component) => ({ ...component, name: nameAt(component, tokens[component.token]) }));
  const kept = named.filter(({ token }) => token < tokens.length);
  const k = kept.length === 0 ? [] : [...settings.k.filter((count) => count < kept.length), kept.length];
  return {
    reference,
    settings: { ...settings, k, components: kept },
    chosen: { components: kept, left_out: named.filter(({ token }) => token >= tokens.length) },
  };
}

const isLeftOut = ({ reference }: ListPlan, { token }: ChosenComponent): boolean => token > reference.questionEnd;

function nameAt({ part, layer, head, token }: ChosenComponent, text?: string): string {
  const name = part === 'attn' && head === null ? `attention ${layer}` : nameOf({ layer, head });
  return `${name} at token ${token}${text === undefined ? '' : ` “${text}”`}`;
}

function requireTogether(spec: ExperimentSpec): void {
  const { by, components } = settingsOf(spec);
  if (by === 'chosen' && components === undefined) {
    throw new HopscopeError('BadSpec', 'by: chosen asks for components; name at least one in `components`.');
  }
  if (by === 'chosen') return;
  const stray = ['components', 'accumulation'].find((name) => spec[name] !== undefined);
  if (stray === undefined) return;
  throw new HopscopeError('BadSpec', `${stray} belongs to by: chosen, but by is ${by}; write by: chosen or leave ${stray} out.`);
}

function requireComponents(model: Model, components: readonly ChosenComponent[]): void {
  const { heads } = model.configuration;
  const seen = new Set<string>();
  for (const component of components) {
    for (const site of sitesOf([component], heads)) {
      checkComponent(model, site);
      if (seen.has(siteKey(site))) {
        throw new HopscopeError(
          'ComponentTwice',
          `components: ${nameOf(site)} at token ${site.token} is named twice; name it once.`,
        );
      }
      seen.add(siteKey(site));
    }
  }
}
