/**
 * Groups drawn as one: a collapsed group takes the place of its members, with their scores added and their lines merged.
 * Which groups are collapsed is a mark (marks.ts); where nodes stand is in layout.ts.
 */
import { componentOfKey, keyOf } from './components.ts';
import { type CircuitGroup, type CircuitMarks, groupSubject } from './marks.ts';
import { kinds } from './scores.ts';
import { type CircuitComponent, type Limits, roleOf } from './selection.ts';

/** A component, or a collapsed group at the place of its strongest member; the group's key is its subject in marks. */
export interface CircuitNode extends CircuitComponent {
  group: CircuitGroup | null;
  /** What it stands for: itself, or the group's members. */
  parts: readonly CircuitComponent[];
}

/**
 * What is drawn of `shown`: members of collapsed groups give way to one node for each such group, whether or not they were shown themselves.
 * `find` gives a component's scores by its key, null for what this model does not have.
 */
export function withCollapsed(
  shown: readonly CircuitComponent[],
  marks: Pick<CircuitMarks, 'groups'>,
  find: (key: string) => CircuitComponent | null,
  limits: Limits,
): CircuitNode[] {
  const collapsed = marks.groups.filter(({ collapsed }) => collapsed);
  const hidden = new Set(collapsed.flatMap(({ members }) => members));
  const single = shown.flatMap((component): CircuitNode[] =>
    hidden.has(component.key) ? [] : [{ ...component, group: null, parts: [component] }],
  );
  return [...single, ...collapsed.flatMap((group) => groupNode(group, find, limits) ?? [])];
}

function groupNode(group: CircuitGroup, find: (key: string) => CircuitComponent | null, limits: Limits): CircuitNode | null {
  const members = group.members.flatMap((key) => find(key) ?? []);
  const [strongest] = [...members].sort((a, b) => b.strength - a.strength);
  if (strongest === undefined) return null;
  const scores = sumOf(members);
  return { ...strongest, key: groupSubject(group.id), scores, ...roleOf(scores, limits), group, parts: members };
}

/** Scores added over components; a head counts once where its whole layer's attention at that token is among them. */
export function sumOf(components: readonly CircuitComponent[]): CircuitComponent['scores'] {
  const whole = new Set(components.filter(({ head }) => head === null).map(({ key }) => key));
  const sum = { informative: 0, upstream: 0, downstream: 0 };
  for (const component of components) {
    if (component.head !== null && whole.has(keyOf({ ...component, head: null }))) continue;
    for (const kind of kinds) sum[kind] += component.scores[kind];
  }
  return sum;
}

/** Whether a component is selected, or every member of a collapsed group is. */
export function isSelected({ key, group }: CircuitNode, selected: ReadonlySet<string>): boolean {
  return group === null ? selected.has(key) : group.members.every((member) => selected.has(member));
}

/** The keys of components that a node's key stands for: its group's members, or itself. */
export function membersOf(marks: Pick<CircuitMarks, 'groups'>, key: string): readonly string[] {
  if (componentOfKey(key) !== null) return [key];
  return marks.groups.find(({ id }) => groupSubject(id) === key)?.members ?? [];
}
