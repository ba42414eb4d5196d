/**
 * A circuit as an attribution graph in JSON, the form that circuit-tracer writes and Neuronpedia reads: nodes with labels, links, pinned nodes
 * and supernodes. Scores belong to components here, so a link's weight says nothing: it is 1 for all, and the file says so.
 */
import type { Json } from '../../src-main/shared/records.ts';
import { slugOf } from '../text/download.ts';
import { capitalize } from '../text/format.ts';
import { type Component, componentAt, keyOf } from './components.ts';
import type { CircuitPicture } from './drawing.ts';
import { edgesOf } from './layout.ts';
import type { CircuitComponent } from './selection.ts';
import { edgeMeaning } from './words.ts';

/** What the file says of itself. */
export interface GraphOrigin {
  title: string;
  caption: string;
  model: string;
  /** ISO 8601. */
  created: string;
}

/** Every component that the circuit shows or has in a collapsed group, each once. */
export function attributionGraph(
  { layout, tokens, marks }: Pick<CircuitPicture, 'layout' | 'tokens' | 'marks'>,
  { title, caption, model, created }: GraphOrigin,
  parallel = false,
): Json {
  const components = layout.nodes.flatMap(({ parts }) => parts);
  const ids = new Map(components.map((component) => [component.key, idOf(component)]));
  const known = (keys: readonly string[]) => keys.flatMap((key) => ids.get(key) ?? []);
  return {
    metadata: {
      slug: slugOf(title, 80) || 'circuit',
      scan: model,
      prompt: tokens.join(' '),
      prompt_tokens: [...tokens],
      schema_version: 1,
      info: {
        description: `${title}. ${caption} Influence is the largest of a component’s scores. ${edgeMeaning} Every weight is 1.`,
        generator: { name: 'Hopscope' },
        create_time_ms: Date.parse(created),
      },
    },
    qParams: {
      linkType: 'both',
      clickedId: '',
      pinnedIds: known(marks.pins),
      supernodes: marks.groups.flatMap(({ name, members }) => {
        const inside = known(members);
        return inside.length === 0 ? [] : [[name, ...inside]];
      }),
      sg_pos: '',
    },
    nodes: components.map((component) => nodeOf(component, tokens, marks.notes[component.key])),
    links: edgesOf(components, parallel).map(({ from, to }) => ({
      source: idOf(components[from]!),
      target: idOf(components[to]!),
      weight: 1,
    })),
  };
}

function nodeOf(component: CircuitComponent, tokens: readonly string[], note: string | undefined): Json {
  const { part, layer, token, role, scores } = component;
  const name = `${capitalize(role)}: ${componentAt(component, tokens)}`;
  return {
    node_id: idOf(component),
    jsNodeId: `${layer}_${featureOf(component)}-0`,
    feature: featureOf(component),
    layer: String(layer),
    ctx_idx: token,
    feature_type: part === 'mlp' ? 'mlp' : 'attention',
    clerp: note === undefined ? name : `${name}. ${note}`,
    influence: scores[role],
    activation: null,
    // Fields of our own, which viewers pass over
    hopscope: { key: keyOf(component), role, scores: { ...scores } },
  };
}

/** Which of a layer's components it is: 0 its MLP, 1 its attention, then its heads. */
const featureOf = ({ part, head }: Component): number => (part === 'mlp' ? 0 : head === null ? 1 : 2 + head);

/** `layer_feature_token`. */
const idOf = (component: Component): string => `${component.layer}_${featureOf(component)}_${component.token}`;
