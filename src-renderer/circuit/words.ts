/**
 * What the parts of a circuit are called and what their marks mean, for screens, legends and files alike.
 * It draws nothing.
 */
import { formatValue } from '../figures/numbers.ts';
import { capitalize, plural } from '../text/format.ts';
import type { CircuitNode } from './collapse.ts';
import { componentAt, componentOfKey } from './components.ts';
import { type CircuitMarks, groupSubject } from './marks.ts';
import type { Kind } from './scores.ts';

export const roleNames: Record<Kind, string> = {
  upstream: 'Upstream: brings the prompt to where the fact is recalled',
  informative: 'Informative: holds the new fact in its weights',
  downstream: 'Downstream: turns the fact into the answer',
};

/** What a line says, for legends. */
export const edgeMeaning =
  'Lines: could influence, by the order of computation only (up the layers at one token, and from earlier tokens into later layers’ attention). Scores belong to components, so lines have no weight; those that follow from others are left out.';

/** Shapes and fillings, for legends; of a `difference` the signs say which of the two runs, A or B, has the higher score. */
export function markLegend(difference: boolean): string {
  const meaning = difference
    ? 'Size: absolute difference A minus B. Filled: higher in A; hollow: higher in B.'
    : 'Size: absolute score. Filled: lowers the loss; hollow: raises it.';
  return `Squares are MLPs, circles attention. ${meaning} A dot marks pinned components.`;
}

/** What a collapsed group's shape says, where there is one. */
export const groupLegend =
  'Hexagons are groups: the number is that of their components, whose scores are added; an arrow shows the way of a line that does not lead down.';

/** `MLP of layer 3 at “is” (token 7)`, or a collapsed group's name with how many it has. */
export function nodeName({ group, parts, ...component }: CircuitNode, tokens: readonly string[]): string {
  return group === null ? componentAt(component, tokens) : `${group.name} (${plural(parts.length, 'component')})`;
}

/** `Downstream, MLP of layer 3 at “is” (token 7): 0.42`. */
export function nodeText(node: CircuitNode, tokens: readonly string[]): string {
  const sum = node.group === null ? '' : ' in sum';
  return `${capitalize(node.role)}, ${nodeName(node, tokens)}: ${formatValue(node.scores[node.role])}${sum}`;
}

/** What a note is on: a component or a group, by its key. */
export function subjectName(marks: Pick<CircuitMarks, 'groups'>, tokens: readonly string[], subject: string): string {
  const group = marks.groups.find(({ id }) => groupSubject(id) === subject);
  if (group) return group.name;
  const component = componentOfKey(subject);
  return component === null ? subject : componentAt(component, tokens);
}
