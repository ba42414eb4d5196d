/**
 * Every program that a model is run with, in a small size, and a way to run each on a device and on the CPU on the same made-up inputs.
 * What the programs compute is tested by parity/.
 */
import * as change from '../../../src-main/engine/execution/change-programs.ts';
import * as interventions from '../../../src-main/engine/execution/intervention-programs.ts';
import type { ModelOutline } from '../../../src-main/engine/execution/programs.ts';
import * as programs from '../../../src-main/engine/execution/programs.ts';
import * as scores from '../../../src-main/engine/execution/score-programs.ts';
import { scoredMaps } from '../../../src-main/engine/execution/scored-maps.ts';
import type { Graph } from '../../../src-main/engine/graph/graph.ts';
import type { DeviceName } from '../../../src-main/engine/runtime/device.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { elementCount, type FloatTensor, floatTensor, type Tensor } from '../../../src-main/engine/tensor.ts';

/** Graphs by name, of every kind of layer; each is made anew. */
export function everyProgram(outline: ModelOutline): Map<string, Graph> {
  const shape = { batch: 2, positions: 5, rows: 8 };
  const candidates = 4;
  const { family, configuration, parameters } = outline;
  const { blocks, head } = parameters;
  const names = [...blocks.flat(), ...head].map(({ name }) => name);
  const graphs = new Map<string, Graph>([
    ['head forward', programs.headForward(outline, shape, ['final_norm'])],
    [
      'head training',
      programs.headTraining(
        outline,
        shape,
        head.map(({ name }) => name),
        true,
      ),
    ],
    ['whole forward', programs.wholeForward(outline, shape)],
    ['whole training', programs.wholeTraining(outline, shape, names, true)],
    ['candidate head', scores.candidateHead(outline, shape, candidates)],
    ['head between', change.headBetween(outline, shape, candidates)],
    ['head tangent', change.headTangent(outline, shape, candidates)],
    ['whole with replacements', interventions.wholeWithReplacements(outline, shape, candidates)],
    ['candidate logits', interventions.candidateLogits(outline, shape, candidates)],
  ]);
  const kinds = new Map(blocks.map((_, layer) => [family.layerKind(configuration, layer), layer]));
  for (const [kind, layer] of kinds) {
    const add = (name: string, graph: Graph) => graphs.set(`${name} ${kind}`, graph);
    const roles = blocks[layer]!.map(({ role }) => role);
    const scored = new Set(scoredMaps(outline).map(({ role }) => role));
    add('block forward', programs.blockForward(outline, layer, shape, ['attn.z', 'mlp.act', 'mlp.out', 'attn.out']));
    add('block backward', programs.blockBackward(outline, layer, shape, roles, true));
    add('block between', change.blockBetween(outline, layer, shape));
    add('block tangent', change.blockTangent(outline, layer, shape));
    add('block with replacements', interventions.blockWithReplacements(outline, layer, shape));
    // With and without rows in common
    for (const distinct of [shape.batch * shape.positions, 7]) {
      const size = { ...shape, distinct };
      const { first, second } = scores.splitBlockReading(outline, layer, size, scored);
      add(`block once of ${distinct}`, scores.blockOnce(outline, layer, size));
      add(`block reading of ${distinct}`, scores.blockReading(outline, layer, size, scored));
      add(`block reading of ${distinct}, up`, first);
      add(`block reading of ${distinct}, down`, second);
      add(`block on given inputs of ${distinct}`, scores.blockOnGivenInputs(outline, layer, size));
    }
  }
  return graphs;
}

/** All results of a graph on a device, fed with numbers from -0.5 to 0.5 and indices from 0 to 6. */
export async function resultsOn(device: DeviceName, graph: Graph): Promise<Map<string, FloatTensor>> {
  let state = 1;
  const next = () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, type, shape }): [string, Tensor] => {
      const length = elementCount(shape);
      if (type === 'float32')
        return [
          name,
          floatTensor(
            shape,
            Float32Array.from({ length }, () => next() - 0.5),
          ),
        ];
      return [name, { type: 'int64', shape, data: BigInt64Array.from({ length }, () => BigInt(Math.floor(next() * 7))) }];
    }),
  );
  const results = new Map([...graph.outputs].map(([name, { shape }]) => [name, floatTensor(shape)]));
  const session = await Session.compile(graph, { device, threads: 1, name: graph.name });
  session.run(feeds, Object.fromEntries(results));
  session.release();
  return results;
}
