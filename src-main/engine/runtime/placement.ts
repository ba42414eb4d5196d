/**
 * Where a program's operators run: a profile of one run on zeros says which provider each of them was given to.
 * It is told how sessions are loaded, and judges nothing.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HopscopeError } from '../../shared/errors.ts';
import { bytesPerElement, type ElementType, elementCount } from '../tensor.ts';
import { elementTypeOf } from './native-tensors.ts';
import type { NativeMetadata, NativeSession, NativeTensor } from './output-copy.ts';

/** One operator of a compiled program; copies between CPU and device are operators too, called Memcpy.... */
export interface Placement {
  operator: string;
  /** onnxruntime's name: `WebGpuExecutionProvider`, `CPUExecutionProvider`. */
  provider: string;
}

/** `load` must load the program with the options given besides its own. Throws what the runtime throws. */
export function profilePlacement(load: (options: object) => NativeSession): Placement[] {
  const folder = mkdtempSync(join(tmpdir(), 'hopscope-profile-'));
  try {
    const session = load({ enableProfiling: true, profileFilePrefix: join(folder, 'profile') });
    const feeds = Object.fromEntries(session.inputMetadata.map((input) => [input.name, zeros(input)]));
    session.run(feeds, Object.fromEntries(session.outputMetadata.map(({ name }) => [name, null])), {});
    session.endProfiling();
    session.dispose();
    const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8')) as Event[];
    return events.flatMap(({ args }) =>
      args?.op_name && args.provider ? [{ operator: args.op_name, provider: args.provider }] : [],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * What to say of a program that was refused because the device would leave operators to the CPU: which they are. Null for another failure.
 * `OperatorNotOnDevice` is an error of the program's graph, which for-device.ts or an operator's gradient rule must avoid.
 */
export function leftToCpu(
  error: unknown,
  name: string,
  device: string,
  load: (options: object) => NativeSession,
): HopscopeError | null {
  if (!/assigned to the default CPU EP/.test(String(error))) return null;
  let left: Set<string>;
  try {
    const placed = profilePlacement(load).filter(({ provider }) => provider === 'CPUExecutionProvider');
    left = new Set(placed.map(({ operator }) => operator));
  } catch {
    return null;
  }
  return new HopscopeError(
    'OperatorNotOnDevice',
    `The program "${name}" needs ${[...left].join(', ')}, which ${device} does not compute for these types. Use --device cpu.`,
    'failure',
  );
}

/** An event of onnxruntime's profile, as far as it is read. */
interface Event {
  args?: { op_name?: string; provider?: string };
}

function zeros(input: NativeMetadata): NativeTensor {
  const { name } = elementTypeOf(input)!;
  const shape = input.shape.map((size) => Math.max(size, 1));
  // The binding calls bfloat16 what its bits are
  const bytes = bytesPerElement[name === 'uint16' ? 'bfloat16' : (name as ElementType)];
  const arrays = { 1: Uint8Array, 2: Uint16Array, 4: name === 'int32' ? Int32Array : Float32Array, 8: BigInt64Array };
  return { type: name, dims: shape, location: 'cpu', data: new arrays[bytes as 1 | 2 | 4 | 8](elementCount(shape)) };
}
