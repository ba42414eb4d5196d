/**
 * A circuit's numbers as a table of text: one row per node, at full precision.
 * What can be read in again by viewers of graphs is in attribution-graph.ts.
 */
import { toCsv } from '../text/csv.ts';
import { componentAt, componentName } from './components.ts';
import type { CircuitPicture } from './drawing.ts';
import { groupOf } from './marks.ts';
import { roles } from './selection.ts';

/** A collapsed group is one row with its scores added; `members` names its components. As in every file, rows end with title and source. */
export function circuitCsv(
  { layout, tokens, marks }: Pick<CircuitPicture, 'layout' | 'tokens' | 'marks'>,
  title: string,
  source: string,
): string {
  const pinned = new Set(marks.pins);
  return toCsv(
    [
      ...['component', 'layer', 'head', 'token', 'token text', 'role'],
      ...roles,
      ...['pinned', 'group', 'note', 'members', 'figure', 'source'],
    ],
    layout.nodes.map((node) => [
      ...(node.group === null
        ? [componentName(node), node.layer, node.head, node.token, tokens[node.token] ?? null]
        : [node.group.name, null, null, null, null]),
      node.role,
      ...roles.map((role) => node.scores[role]),
      node.parts.every(({ key }) => pinned.has(key)) ? 'yes' : 'no',
      (node.group ?? groupOf(marks, node.key))?.name ?? null,
      marks.notes[node.key] ?? null,
      node.group === null ? null : node.parts.map((part) => componentAt(part, tokens)).join('; '),
      title,
      source,
    ]),
  );
}
