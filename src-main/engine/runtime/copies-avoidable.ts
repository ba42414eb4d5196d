/**
 * Whether outputs can be had without the binding's copies (output-copy.ts), tried on a small program when the first session of a thread is made.
 * What to do where they cannot is the session's.
 */
import { Graph } from '../graph/graph.ts';
import { encodeOnnx } from '../graph/onnx.ts';
import { type NativeSession, type NativeTensor, testOutputs, withFirstOutput } from './output-copy.ts';

let avoidable: boolean | undefined;

/** Tried once per thread on a program with an elementwise, a reducing, a passed-through and a constant result; `load` loads it on the CPU. */
export function copiesAvoidable(load: (model: Uint8Array) => NativeSession): boolean {
  if (process.env.HOPSCOPE_PLAIN_OUTPUTS === '1') return false;
  avoidable ??= tried(load);
  return avoidable;
}

function tried(load: (model: Uint8Array) => NativeSession): boolean {
  const graph = new Graph('output test');
  const x = graph.input('x', [5, 301]);
  graph.output('negated', graph.negate(x));
  graph.output('sum', graph.reduceSum(x, [0], false));
  graph.output('same', x);
  graph.output('fixed', graph.constant({ type: 'float32', shape: [2], data: Float32Array.of(3, 4) }));
  const values = Float32Array.from({ length: 5 * 301 }, (_, index) => index % 97);
  const sum = Float32Array.from({ length: 301 }, (_, column) =>
    [0, 1, 2, 3, 4].reduce((total, row) => total + values[row * 301 + column]!, 0),
  );
  const tensor = (dims: readonly number[], data: Float32Array): NativeTensor => ({
    type: 'float32',
    data,
    dims,
    location: 'cpu',
  });
  const session = load(withFirstOutput(encodeOnnx(graph)));
  const works = testOutputs(
    session,
    { x: tensor([5, 301], values) },
    {
      negated: tensor(
        [5, 301],
        values.map((value) => -value),
      ),
      sum: tensor([301], sum),
      same: tensor([5, 301], values),
      fixed: tensor([2], Float32Array.of(3, 4)),
    },
  );
  session.dispose();
  return works;
}
