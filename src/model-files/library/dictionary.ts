import protobuf from "protobufjs";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Values } from "../../numerics/values.js";
import { librarySchema } from "./dictionary-schema.js";

/** A list of dimensions; those that are not known are 0. */
export interface LibraryShape {
  readonly dims: readonly number[];
}

/** An axis: static ones count from 0, negative from the end; dynamic ones have a name. */
export interface LibraryAxis {
  readonly index: number;
  readonly name: string;
  readonly isOrdered: boolean;
}

/** A dense array, column-major. */
export interface LibraryArray {
  readonly shape: readonly number[];
  readonly values: Values;
}

export type LibraryDictionary = ReadonlyMap<string, LibraryValue>;

/** A value of a dictionary; undefined where its type is not one of this library. */
export type LibraryValue =
  | undefined
  | boolean
  | number
  | string
  | { readonly kind: "shape"; readonly shape: LibraryShape }
  | { readonly kind: "axis"; readonly axis: LibraryAxis }
  | { readonly kind: "array"; readonly array: LibraryArray }
  | readonly LibraryValue[]
  | LibraryDictionary;

/** Messages as protobufjs delivers them: what is absent has its default. */
interface Message {
  readonly [field: string]: unknown;
}

const types = protobuf.Root.fromJSON(librarySchema);

/** Dictionaries inside dictionaries inside …: more than a model has any use for. */
const deepest = 60;

/**
 * Reads the dictionary that a file of CNTK's C++ or Python library is. Throws CntkError `model-file-broken` with the byte
 * offset for bytes that are none.
 */
export function readDictionary(bytes: Uint8Array, fileName: string): LibraryDictionary {
  const reader = protobuf.Reader.create(bytes);
  const broken = (expected: string): CntkError =>
    new CntkError({
      code: "model-file-broken",
      message: `The file '${fileName}' is broken: at byte ${Math.min(reader.pos, bytes.length)} there should be: ${expected}.`,
      hint: "it is damaged or cut short, or not one of CNTK's files",
    });
  let message: Message;
  try {
    message = types.lookupType("Dictionary").decode(reader);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw broken("a dictionary of CNTK's library");
  }
  return dictionary(message, broken, 0);
}

type Broken = (expected: string) => CntkError;

function dictionary(message: Message, broken: Broken, depth: number): LibraryDictionary {
  if (depth > deepest) throw broken(`a dictionary nested less than ${deepest} deep`);
  const entries = messages(message["entries"]).map((entry): [string, LibraryValue] => {
    const content = entry["value"] as Message | null;
    return [String(entry["key"]), content ? value(content, broken, depth + 1) : undefined];
  });
  return new Map(entries);
}

const messages = (list: unknown): readonly Message[] => (Array.isArray(list) ? (list as Message[]) : []);

/** The type number decides which field counts. */
function value(message: Message, broken: Broken, depth: number): LibraryValue {
  if (depth > deepest) throw broken(`a value nested less than ${deepest} deep`);
  switch (Number(message["valueType"])) {
    case 1:
      return message["boolean"] === true;
    case 2:
      return Number(message["integer"]);
    case 3:
      return numberOf(message["size"]);
    case 4:
      return Number(message["float"]);
    case 5:
      return Number(message["double"]);
    case 6:
      return String(message["text"]);
    case 7:
      return { kind: "shape", shape: { dims: dimensions(message["shape"] as Message | null) } };
    case 8:
      return { kind: "axis", axis: axis(message["axis"] as Message | null) };
    case 9:
      return messages((message["vector"] as Message | null)?.["values"]).map((item) =>
        value(item, broken, depth + 1),
      );
    case 10:
      return dictionary((message["dictionary"] as Message | null) ?? {}, broken, depth + 1);
    case 11:
      return { kind: "array", array: array((message["array"] as Message | null) ?? {}, broken) };
    default:
      return undefined;
  }
}

/** A number of 64 bits, which protobufjs may deliver in two halves. */
function numberOf(given: unknown): number {
  if (typeof given === "number") return given;
  if (typeof given === "object" && given !== null && "toNumber" in given)
    return (given as { toNumber(): number }).toNumber();
  return 0;
}

/** From 2^53 on a dimension has a special meaning: it is not known yet. */
function dimensions(message: Message | null): number[] {
  const dims = message?.["dims"];
  if (!Array.isArray(dims)) return [];
  return dims.map((dim) => {
    const size = numberOf(dim);
    return size >= 2 ** 53 ? 0 : size;
  });
}

function axis(message: Message | null): LibraryAxis {
  return {
    index: Number(message?.["index"] ?? 0),
    name: typeof message?.["name"] === "string" ? message["name"] : "",
    isOrdered: message?.["isOrdered"] === true,
  };
}

function array(message: Message, broken: Broken): LibraryArray {
  const isDouble = Number(message["dataType"]) === 2;
  if (Number(message["storageFormat"]) !== 0) throw broken("a dense array");
  const shape = dimensions(message["shape"] as Message | null);
  const numbers = message[isDouble ? "doubles" : "floats"] as Message | null;
  const bytes = (numbers?.["bytes"] ?? new Uint8Array()) as Uint8Array;
  const count = shape.reduce((product, dim) => product * dim, 1);
  const size = isDouble ? 8 : 4;
  if (bytes.length !== count * size) throw broken(`an array of ${count} numbers, not ${bytes.length / size}`);
  // A copy begins at a multiple of the element size.
  const { buffer } = new Uint8Array(bytes);
  return { shape, values: isDouble ? new Float64Array(buffer) : new Float32Array(buffer) };
}
