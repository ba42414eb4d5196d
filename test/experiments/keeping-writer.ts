/** A process that keeps a training and never comes to the end of it: its file is half written when it is killed. It is no test. */
import { keepingOf, writeKept } from '../../src-main/engine/files/kept-weights.ts';
import { floatTensor } from '../../src-main/engine/tensor.ts';
import type { StoredTensor, WeightTensor } from '../../src-main/engine/weights.ts';

const endless: StoredTensor = {
  type: 'stored',
  storedType: 'float32',
  shape: [4],
  fetch() {
    process.stdout.write('writing\n');
    setInterval(() => {}, 1000);
    return new Promise(() => {});
  },
  rows: () => new Float32Array(4),
  slice: () => endless,
};
const trained = new Map<string, WeightTensor>([
  ['a', floatTensor([1 << 18], new Float32Array(1 << 18).fill(1))],
  ['b', endless],
]);
await writeKept(process.argv[2]!, keepingOf(trained, new Map()), 'model');
