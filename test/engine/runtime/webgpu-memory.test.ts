/** Tensors on the device: moved there and back, worked on in place, counted, freed, and refused by name where they do not fit. */
import { expect, test } from 'vitest';
import { Graph } from '../../../src-main/engine/graph/graph.ts';
import { DeviceMemory } from '../../../src-main/engine/runtime/device-memory.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { type FloatTensor, floatTensor, type Tensor } from '../../../src-main/engine/tensor.ts';
import { wave } from './programs.ts';
import { describeWebGpu, report, webgpu } from './webgpu-here.ts';

/** y = x w^T, squares = x x, over x [5, 7] and w [3, 7]. */
async function program(): Promise<Session> {
  const graph = new Graph('product');
  const x = graph.input('x', [5, 7]);
  graph.output('y', graph.gemm(x, graph.input('w', [3, 7]), false, true));
  graph.output('squares', graph.multiply(x, x));
  return Session.compile(graph, webgpu);
}

const inputs = { x: wave([5, 7], 0.7), w: wave([3, 7], 1.3) };
const squares = [...inputs.x.data].map((value) => Math.fround(value * value));

function values(memory: DeviceMemory, tensor: Parameters<DeviceMemory['read']>[0]): number[] {
  const read = floatTensor(tensor.shape);
  memory.read(tensor, read);
  return [...read.data];
}

describeWebGpu('device tensors', () => {
  test('come back as they were, in every type that can lie there', async () => {
    const memory = await DeviceMemory.of('webgpu');
    const before = memory.allocated;
    const float: FloatTensor = { type: 'float32', shape: [2, 3], data: Float32Array.of(1, -2, 0.5, 3e38, -0, 1e-38) };
    const half: Tensor<'float16'> = { type: 'float16', shape: [5], data: Uint16Array.of(0x3c00, 0xc000, 1, 0x7bff, 0) };
    const integer: Tensor<'int32'> = { type: 'int32', shape: [3, 1], data: Int32Array.of(-1, 2 ** 31 - 1, -(2 ** 31)) };
    for (const tensor of [float, half, integer]) {
      const there = memory.upload(tensor as FloatTensor);
      expect([there.type, there.shape, there.bytes]).toEqual([tensor.type, tensor.shape, tensor.data.byteLength]);
      expect(memory.allocated).toBe(before + tensor.data.byteLength);
      const back = { ...tensor, data: tensor.data.slice().fill(0) } as FloatTensor;
      memory.read(there, back);
      expect(back.data).toEqual(tensor.data);
      there.dispose();
      there.dispose();
      expect(memory.allocated).toBe(before);
      expect(() => there.native()).toThrow(/used after it was freed/);
      expect(() => memory.read(there, back)).toThrow(/used after it was freed/);
    }
    expect(memory.peak).toBeGreaterThanOrEqual(before + float.data.byteLength);
  });

  test('start as zeros, are overwritten, and have views of other shapes', async () => {
    const memory = await DeviceMemory.of('webgpu');
    const tensor = memory.allocate('float32', [4, 70]);
    expect(values(memory, tensor).every((value) => value === 0)).toBe(true);
    const view = tensor.as([280]);
    memory.write(wave([4, 70], 0.3), view);
    expect(values(memory, tensor)).toEqual([...wave([4, 70], 0.3).data]);
    const copy = memory.allocate('float32', [280]);
    memory.write(tensor, copy);
    expect(values(memory, copy)).toEqual([...wave([280], 0.3).data]);
    expect(() => tensor.as([3])).toThrow(TypeError);
    view.dispose();
    expect(tensor.disposed).toBe(true);
    copy.dispose();
  });

  test('feed programs and take results, beside tensors of the CPU', async () => {
    const memory = await DeviceMemory.of('webgpu');
    const session = await program();
    const expected = { y: floatTensor([5, 3]), squares: floatTensor([5, 7]) };
    session.run(inputs, expected);
    expect([...expected.squares.data]).toEqual(squares);

    const w = memory.upload(inputs.w);
    const kept = memory.allocate('float32', [5, 7]);
    const y = floatTensor([5, 3]);
    for (let round = 0; round < 3; round++) {
      y.data.fill(-1);
      session.run({ x: inputs.x, w }, { y, squares: kept });
      expect([...y.data]).toEqual([...expected.y.data]);
      expect(values(memory, kept)).toEqual(squares);
    }
    // A result on the device feeds the next program
    const next = memory.allocate('float32', [5, 7]);
    session.run({ x: kept, w }, { squares: next });
    expect(values(memory, next)).toEqual(squares.map((value) => Math.fround(value * value)));
    session.release();
    // Programs do not own what they worked on
    expect(values(memory, kept)).toEqual(squares);
    for (const tensor of [w, kept, next]) tensor.dispose();
  });

  test('weights lie there in half precision where the device computes with it, and are refused elsewhere', async () => {
    const memory = await DeviceMemory.of('webgpu');
    const graph = new Graph('halves');
    graph.output('y', graph.gemm(graph.input('x', [1, 2]), graph.input('w', [2, 2]), false, true));
    const session = await Session.compile(graph, webgpu, new Set(['w']));
    // 1, 2, -0.5, 4
    const w = memory.upload({ type: 'float16', shape: [2, 2], data: Uint16Array.of(0x3c00, 0x4000, 0xb800, 0x4400) });
    const y = floatTensor([1, 2]);
    const run = () => session.run({ x: floatTensor([1, 2], Float32Array.of(10, 100)), w }, { y });
    if (report.half_precision) {
      run();
      expect([...y.data]).toEqual([210, 395]);
    } else {
      expect(run).toThrow(/requires f16 but the device does not support it/);
    }
    session.release();
    w.dispose();
  });

  test('runs leave nothing behind', async () => {
    const memory = await DeviceMemory.of('webgpu');
    const graph = new Graph('large');
    const size = [1 << 18];
    graph.output('y', graph.negate(graph.input('x', size)));
    const session = await Session.compile(graph, webgpu);
    const [x, y] = [memory.upload(wave(size, 1)), memory.allocate('float32', size)];
    const allocated = memory.allocated;
    const runs = (count: number) => {
      for (let run = 0; run < count; run++) session.run({ x }, { y });
      memory.read(y, floatTensor(size));
      return process.memoryUsage().rss / 2 ** 20;
    };
    const before = runs(200);
    expect(runs(1000) - before).toBeLessThan(60);
    expect(memory.allocated).toBe(allocated);
    session.release();
    for (const tensor of [x, y]) tensor.dispose();
  });

  test('what does not fit is named, and the device goes on', async () => {
    const memory = await DeviceMemory.of('webgpu');
    const before = memory.allocated;
    const refused = expect.objectContaining({ code: 'OutOfDeviceMemory', kind: 'failure' });
    // 8 GiB in one piece
    for (let attempt = 0; attempt < 2; attempt++) expect(() => memory.allocate('float32', [2 ** 31])).toThrow(refused);
    memory.limitTo(before + 1000);
    expect(() => memory.allocate('float32', [251])).toThrow(/1004 bytes does not fit: \d+ of the \d+ bytes/);
    memory.allocate('float32', [250]).dispose();
    memory.limitTo(Number.POSITIVE_INFINITY);
    expect(memory.allocated).toBe(before);
    const tensor = memory.upload(inputs.x);
    expect(values(memory, tensor)).toEqual([...inputs.x.data]);
    tensor.dispose();
  });

  test('are refused where they do not belong', async () => {
    const memory = await DeviceMemory.of('webgpu');
    const tensor = memory.upload(inputs.x);
    const session = await program();
    expect(() => session.run({ ...inputs, w: tensor }, { y: floatTensor([5, 3]) })).toThrow(
      /the input w is float32\[3, 7\], not float32\[5, 7\] with 35 elements/,
    );
    expect(() => session.run(inputs, { y: tensor })).toThrow(/the output y is float32\[5, 3\], not float32\[5, 7\]/);
    session.release();
    const graph = new Graph('on the CPU');
    graph.output('y', graph.negate(graph.input('x', [5, 7])));
    const onCpu = await Session.compile(graph, { device: 'cpu', threads: 1 });
    expect(() => onCpu.run({ x: tensor }, { y: floatTensor([5, 7]) })).toThrow(
      /the input x lies on a device on which it does not run/,
    );
    onCpu.release();
    tensor.dispose();
  });
});
