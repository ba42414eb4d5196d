/**
 * Turns a checked graph into the bytes of an ONNX model, leaving out nodes that lead to no result.
 * It is the only file that imports the protobuf encoder, and it cannot read models.
 */
import protobuf from 'protobufjs/light.js';
import { bytesPerElement, type ElementType, elementCount, type Tensor } from '../tensor.ts';
import { checkGraph } from './check.ts';
import type { AttributeValue, Graph, Node, Value } from './graph.ts';
import { onnxAttributeTypes, onnxSchema, onnxTypes } from './onnx-schema.ts';
import { operators } from './ops.ts';

/** RMSNormalization and RotaryEmbedding came with 23. */
const opset = 23;
const irVersion = 10;

const modelType = protobuf.Root.fromJSON(onnxSchema).lookupType('ModelProto');

/** The model's bytes. Errors: `BadGraph` from the check. */
export function encodeOnnx(graph: Graph): Uint8Array {
  checkGraph(graph);
  const nodes = reachable(graph);
  const used = new Set<Value>([...nodes.flatMap((node) => node.inputs), ...graph.outputs.values()]);
  const initializers = [...graph.constants]
    .filter(([value]) => used.has(value))
    .map(([value, tensor]) => encodeTensor(value.name, tensor));
  const names = resultNames(graph);
  const encodedNodes = nodes.map((node) => encodeNode(node, names, initializers));
  for (const [name, value] of graph.outputs) {
    // An input, a constant or a value under two result names needs a copy; all others are written by the node that makes them
    if (names.get(value) !== name) {
      encodedNodes.push({ opType: 'Identity', input: [names.get(value) ?? value.name], output: [name], attribute: [] });
    }
  }
  return modelType
    .encode(
      modelType.fromObject({
        irVersion,
        producerName: 'hopscope',
        opsetImport: [{ domain: '', version: opset }],
        graph: {
          name: graph.name,
          node: encodedNodes,
          initializer: initializers,
          input: graph.inputs.map((value) => valueInfo(value.name, value)),
          output: [...graph.outputs].map(([name, value]) => valueInfo(name, value)),
        },
      }),
    )
    .finish();
}

/** The nodes that some result needs, in order. */
function reachable(graph: Graph): Node[] {
  const needed = new Set<Value>(graph.outputs.values());
  const kept: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((value) => needed.has(value))) continue;
    for (const value of node.inputs) needed.add(value);
    kept.push(node);
  }
  return kept.reverse();
}

/** Computed values that are results take their result's name. */
function resultNames(graph: Graph): Map<Value, string> {
  const names = new Map<Value, string>();
  for (const [name, value] of graph.outputs) if (value.node && !names.has(value)) names.set(value, name);
  return names;
}

interface EncodedNode {
  opType: string;
  input: string[];
  output: string[];
  attribute: object[];
}

interface EncodedTensor {
  name: string;
  dims: number[];
  dataType: number;
  rawData: Uint8Array;
}

function encodeNode(node: Node, names: ReadonlyMap<Value, string>, initializers: EncodedTensor[]): EncodedNode {
  const nameOf = (value: Value) => names.get(value) ?? value.name;
  const { attributeInputs = [], floatAttributes = [] } = operators[node.op];
  const extra = attributeInputs.map((name) => {
    const value = node.attributes[name]!;
    const tensor = typeof value === 'number' ? floatScalar(value) : int64List(value as readonly number[]);
    const inputName = `${node.outputs[0]!.name}.${name}`;
    initializers.push(encodeTensor(inputName, tensor));
    return inputName;
  });
  return {
    opType: node.op,
    input: [...node.inputs.map(nameOf), ...extra],
    output: node.outputs.map(nameOf),
    attribute: Object.entries(node.attributes)
      .filter(([name]) => !attributeInputs.includes(name))
      .map(([name, value]) => encodeAttribute(name, value, floatAttributes.includes(name))),
  };
}

function encodeAttribute(name: string, value: AttributeValue, float: boolean): object {
  // `Cast` names its target type; every other string is a string
  if (name === 'to') return { name, i: onnxTypes[value as ElementType], type: onnxAttributeTypes.integer };
  if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: onnxAttributeTypes.string };
  if (typeof value === 'number') {
    return float ? { name, f: value, type: onnxAttributeTypes.float } : { name, i: value, type: onnxAttributeTypes.integer };
  }
  return { name, ints: [...value], type: onnxAttributeTypes.integers };
}

function encodeTensor(name: string, tensor: Tensor): EncodedTensor {
  const { buffer, byteOffset } = tensor.data;
  const bytes = elementCount(tensor.shape) * bytesPerElement[tensor.type];
  return { name, dims: [...tensor.shape], dataType: onnxTypes[tensor.type], rawData: new Uint8Array(buffer, byteOffset, bytes) };
}

const floatScalar = (value: number): Tensor => ({ type: 'float32', shape: [], data: Float32Array.of(value) });

const int64List = (values: readonly number[]): Tensor => ({
  type: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values, (value) => BigInt(value)),
});

const valueInfo = (name: string, { type, shape }: Pick<Value, 'type' | 'shape'>): object => ({
  name,
  type: { tensorType: { elemType: onnxTypes[type], shape: { dim: shape.map((size) => ({ dimValue: size })) } } },
});
