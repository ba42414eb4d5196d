/**
 * Tensors as the native binding takes them, checked against what a program declares: an unfit one would be read past its end.
 * It runs nothing.
 */
import { type ElementType, elementCount } from '../tensor.ts';
import { type AnyTensor, DeviceTensor } from './device-tensor.ts';
import type { NativeBuffer, NativeMetadata, NativeTensor } from './output-copy.ts';

/** Names of the native binding and ONNX's numbers of the element types. bfloat16 is fed as its 16 bits, which graphs reinterpret. */
const nativeTypes: Record<ElementType, { name: string; number: number }> = {
  float32: { name: 'float32', number: 1 },
  uint8: { name: 'uint8', number: 2 },
  bfloat16: { name: 'uint16', number: 4 },
  int32: { name: 'int32', number: 6 },
  int64: { name: 'int64', number: 7 },
  bool: { name: 'bool', number: 9 },
  float16: { name: 'float16', number: 10 },
};

export type Declared = ReadonlyMap<string, NativeMetadata>;

/** What the binding knows an element type by; undefined for one that the project does not use. */
export function elementTypeOf({ type }: NativeMetadata): { name: string; number: number } | undefined {
  return Object.values(nativeTypes).find(({ number }) => number === type);
}

/** The tensors for the binding. Throws an Error whose message goes on after `cannot run: ` where one is not what the program declares. */
export function nativeTensors(
  role: 'input' | 'output',
  expected: Declared,
  tensors: Readonly<Record<string, AnyTensor>>,
  onDevice: boolean,
): Record<string, NativeTensor | NativeBuffer> {
  const converted: Record<string, NativeTensor | NativeBuffer> = {};
  for (const name in tensors) {
    const tensor = tensors[name]!;
    const { type, shape } = tensor;
    const declared = expected.get(name);
    if (!declared) throw new Error(`it has no ${role} ${name}; it has ${[...expected.keys()].join(', ')}`);
    const native = nativeTypes[type];
    const elements = tensor instanceof DeviceTensor ? elementCount(shape) : tensor.data.length;
    const fits =
      declared.type === native.number &&
      declared.shape.length === shape.length &&
      declared.shape.every((size, axis) => size === -1 || size === shape[axis]) &&
      elements === elementCount(shape);
    if (!fits) {
      const wanted = elementTypeOf(declared)?.name ?? `type ${declared.type}`;
      throw new Error(
        `the ${role} ${name} is ${wanted}[${declared.shape.join(', ')}], not ${type}[${shape.join(', ')}] with ${elements} elements`,
      );
    }
    if (!(tensor instanceof DeviceTensor)) {
      converted[name] = { type: native.name, data: tensor.data, dims: shape, location: 'cpu' };
    } else if (onDevice) {
      converted[name] = tensor.native();
    } else {
      throw new Error(`the ${role} ${name} lies on a device on which it does not run`);
    }
  }
  return converted;
}
