import protobuf from "protobufjs";
import { onnxSchema } from "../../src/exporters/onnx/schema.js";
import { elementCount } from "../../src/network/network.js";

/**
 * What other programs write, as the bytes of an ONNX model: from `x` to `y`. Tensors have numbers between -1 and 1, one named
 * `variance` positive ones.
 */
export function onnxModel(
  input: readonly (number | string)[],
  nodes: readonly { op: string; in: string[]; out: string | string[]; [attribute: string]: unknown }[],
  initializers: Readonly<Record<string, readonly number[]>>,
  dataType = 1,
  /** Whole numbers, and lists of them. */
  lists: Readonly<Record<string, number | readonly number[]>> = {},
): Uint8Array {
  const value = (name: string, dims: readonly (number | string)[]): object => {
    const dim = dims.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
    return { name, type: { tensorType: { elemType: 1, shape: { dim } } } };
  };
  const attribute = ([name, given]: [string, unknown]): object => {
    if (typeof given === "string") return { name, type: 3, s: new TextEncoder().encode(given) };
    if (Array.isArray(given) && typeof given[0] === "string")
      return { name, type: 8, strings: given.map((text) => new TextEncoder().encode(text as string)) };
    if (Array.isArray(given)) return { name, type: 7, ints: given as number[] };
    return Number.isInteger(given) ? { name, type: 2, i: given } : { name, type: 1, f: given };
  };
  const message = {
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    graph: {
      name: "other",
      node: nodes.map(({ op, in: input, out, ...attributes }) => ({
        opType: op,
        name: [out].flat()[0],
        input,
        output: [out].flat(),
        attribute: Object.entries(attributes).map(attribute),
      })),
      initializer: [
        ...Object.entries(lists).map(([name, given]) => ({
          name,
          dims: typeof given === "number" ? [] : [given.length],
          dataType: 7,
          int64Data: [given].flat(),
        })),
        ...Object.entries(initializers).map(([name, dims], index) => {
          const values = Float32Array.from({ length: elementCount(dims) }, (_, at) => {
            const number = Math.sin(1 + index + at * 1.7);
            return name === "variance" ? Math.abs(number) : number;
          });
          return { name, dims, dataType, rawData: new Uint8Array(values.buffer) };
        }),
      ],
      input: [value("x", ["batch", ...input])],
      output: [{ name: "y", type: { tensorType: { elemType: 1 } } }],
    },
  };
  const type = protobuf.Root.fromJSON(onnxSchema).lookupType("ModelProto");
  return type.encode(type.fromObject(message)).finish();
}
