/**
 * A list of components as a form's draft has it: the spec's JSON, read for showing and written for changing.
 * Whether a model has them is for the host to say.
 */
import { type Component, componentName, keyOf } from '../circuit/components.ts';
import { parseDraft } from './json-draft.ts';

/** Null where the draft is no list of components; an empty draft is an empty list. */
export function readComponents(draft: string): Component[] | null {
  if (draft.trim() === '') return [];
  const list: unknown = parseDraft(draft);
  return Array.isArray(list) && list.every(isComponent) ? list : null;
}

/** An empty list is a setting left alone. */
export function writeComponents(components: readonly Component[]): string {
  if (components.length === 0) return '';
  return JSON.stringify(components.map(({ part, layer, head, token }) => ({ part, layer, head, token })));
}

/** Why a component cannot be added, or null. `layers`: of the model; null while unknown. */
export function additionProblem(components: readonly Component[], added: Component, layers: number | null): string | null {
  if (![added.layer, added.token, added.head ?? 0].every((number) => Number.isSafeInteger(number) && number >= 0))
    return 'Type whole numbers from 0 for layer, head and token.';
  if (layers !== null && added.layer >= layers) return `The model has layers 0 to ${layers - 1}.`;
  const overlaps = ({ part, layer, head, token }: Component) =>
    part === added.part &&
    layer === added.layer &&
    token === added.token &&
    (head === added.head || head === null || added.head === null);
  const twin = components.find(overlaps);
  if (twin === undefined) return null;
  return keyOf(twin) === keyOf(added)
    ? 'That component is in the list.'
    : `The list has ${componentName(twin)} at that token, which overlaps with it.`;
}

function isComponent(value: unknown): value is Component {
  if (typeof value !== 'object' || value === null) return false;
  const { part, layer, head, token } = value as Record<string, unknown>;
  return (
    (part === 'mlp' || part === 'attn') &&
    Number.isInteger(layer) &&
    Number.isInteger(token) &&
    (head === null || Number.isInteger(head))
  );
}
