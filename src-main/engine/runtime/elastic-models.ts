/**
 * ONNX models of one operator whose sizes are known only when they run, which graphs with their static shapes cannot be: they give out
 * and move memory of the device. They are written as bytes, in ONNX's field numbers.
 */
import { onnxTypes } from '../graph/onnx-schema.ts';
import type { DeviceElementType } from './device-tensor.ts';

/** y [n] = x [n]: uploads, copies and downloads, as x and y lie. */
export function copyModel(type: DeviceElementType): Uint8Array {
  const vector = vectorOf(onnxTypes[type]);
  return model([node('Identity', ['x'], 'y')], [value('x', vector)], value('y', vector));
}

/** y [n] = `value` [1] n times, n being the one element of `shape`. */
export function fillModel(type: DeviceElementType): Uint8Array {
  const vector = vectorOf(onnxTypes[type]);
  return model(
    [node('Expand', ['value', 'shape'], 'y')],
    [value('value', vector), value('shape', vectorOf(onnxTypes.int64))],
    value('y', vector),
  );
}

/** y [n, width]: the rows `rows` [n] of x. */
export function gatherModel(): Uint8Array {
  const matrix = matrixOf(onnxTypes.float32);
  return model(
    [node('Gather', ['x', 'rows'], 'y')],
    [value('x', matrix), value('rows', vectorOf(onnxTypes.int64))],
    value('y', matrix),
  );
}

const irVersion = 10;
const opset = 13;

/** ModelProto: ir_version (1), graph (7), opset_import (8); GraphProto: node (1), name (2), input (11), output (12). */
function model(nodes: readonly number[][], inputs: readonly number[][], output: readonly number[]): Uint8Array {
  const graph = [
    ...nodes.flatMap((bytes) => message(1, bytes)),
    ...message(2, text('memory')),
    ...inputs.flatMap((bytes) => message(11, bytes)),
    ...message(12, output),
  ];
  return Uint8Array.from([...integer(1, irVersion), ...message(7, graph), ...message(8, integer(2, opset))]);
}

/** NodeProto: input (1), output (2), op_type (4). */
function node(operator: string, inputs: readonly string[], output: string): number[] {
  return [...inputs.flatMap((name) => message(1, text(name))), ...message(2, text(output)), ...message(4, text(operator))];
}

/** ValueInfoProto: name (1), type (2). */
const value = (name: string, type: readonly number[]): number[] => [...message(1, text(name)), ...message(2, type)];

/** TypeProto.tensor_type (1): elem_type (1) and shape (2) with one dim (1) that says nothing of its size. */
const vectorOf = (elementType: number): number[] => message(1, [...integer(1, elementType), ...message(2, message(1, []))]);

/** The same with two such dims. */
const matrixOf = (elementType: number): number[] =>
  message(1, [...integer(1, elementType), ...message(2, [...message(1, []), ...message(1, [])])]);

const text = (characters: string): number[] => [...Buffer.from(characters)];

const integer = (field: number, small: number): number[] => [field << 3, small];

/** A field of bytes (wire type 2): number, length in sevens of bits, contents. */
function message(field: number, contents: readonly number[]): number[] {
  const length = contents.length < 128 ? [contents.length] : [(contents.length & 127) | 128, contents.length >> 7];
  return [(field << 3) | 2, ...length, ...contents];
}
