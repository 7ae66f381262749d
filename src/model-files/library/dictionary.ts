import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Values } from "../../numerics/values.js";
import { valuesInBytes } from "../values-in-bytes.js";
import { librarySchema } from "./dictionary-schema.js";
import { type Message, WireReader } from "./wire-reader.js";

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

/** Dictionaries inside dictionaries inside …: more than a model has any use for. */
const deepest = 60;
/** The limit of protobuf's own readers. */
const deepestMessage = 100;

/**
 * Reads the dictionary that a file of CNTK's C++ or Python library is; `ownsBytes` if nobody else needs the bytes, so that arrays
 * can stay in them. Throws CntkError `model-file-broken` with the byte offset for bytes that are none.
 */
export function readDictionary(bytes: Uint8Array, fileName: string, ownsBytes = false): LibraryDictionary {
  const broken = (expected: string): CntkError =>
    new CntkError({
      code: "model-file-broken",
      message: `The file '${fileName}' is broken: at byte ${Math.min(reader.position, bytes.length)} there should be: ${expected}.`,
      hint: "it is damaged or cut short, or not one of CNTK's files",
    });
  const reader = new WireReader(bytes, librarySchema, {
    depth: deepestMessage,
    broken: () => broken("a dictionary of CNTK's library"),
  });
  return dictionary(reader.message("Dictionary"), { bytes, broken, ownsBytes }, 0);
}

interface Context {
  readonly bytes: Uint8Array;
  readonly broken: (expected: string) => CntkError;
  readonly ownsBytes: boolean;
}

function dictionary(message: Message, context: Context, depth: number): LibraryDictionary {
  if (depth > deepest) throw context.broken(`a dictionary nested less than ${deepest} deep`);
  const entries = messages(message["entries"]).map((entry): [string, LibraryValue] => {
    const content = inner(entry, "value");
    return [textOf(entry["key"]), content && value(content, context, depth + 1)];
  });
  return new Map(entries);
}

const messages = (list: unknown): readonly Message[] => (Array.isArray(list) ? (list as Message[]) : []);
const inner = (message: Message | undefined, field: string): Message | undefined =>
  message?.[field] as Message | undefined;

// What a message does not hold has protobuf's defaults.
const numberOf = (field: unknown): number => (typeof field === "number" ? field : 0);
const textOf = (field: unknown): string => (typeof field === "string" ? field : "");

/** The type number decides which field counts. */
function value(message: Message, context: Context, depth: number): LibraryValue {
  if (depth > deepest) throw context.broken(`a value nested less than ${deepest} deep`);
  switch (message["valueType"]) {
    case 1:
      return message["boolean"] === true;
    case 2:
      return numberOf(message["integer"]);
    case 3:
      return numberOf(message["size"]);
    case 4:
      return numberOf(message["float"]);
    case 5:
      return numberOf(message["double"]);
    case 6:
      return textOf(message["text"]);
    case 7:
      return { kind: "shape", shape: { dims: dimensions(inner(message, "shape")) } };
    case 8:
      return { kind: "axis", axis: axis(inner(message, "axis")) };
    case 9:
      return messages(inner(message, "vector")?.["values"]).map((item) => value(item, context, depth + 1));
    case 10:
      return dictionary(inner(message, "dictionary") ?? {}, context, depth + 1);
    case 11:
      return { kind: "array", array: array(inner(message, "array") ?? {}, context) };
    default:
      return undefined;
  }
}

/** From 2^53 on a dimension has a special meaning: it is not known yet. */
function dimensions(message: Message | undefined): number[] {
  const dims = (message?.["dims"] ?? []) as readonly number[];
  return dims.map((size) => (size >= 2 ** 53 ? 0 : size));
}

function axis(message: Message | undefined): LibraryAxis {
  return {
    index: numberOf(message?.["index"]),
    name: textOf(message?.["name"]),
    isOrdered: message?.["isOrdered"] === true,
  };
}

function array(message: Message, { bytes, broken, ownsBytes }: Context): LibraryArray {
  const isDouble = message["dataType"] === 2;
  if (numberOf(message["storageFormat"]) !== 0) throw broken("a dense array");
  const shape = dimensions(inner(message, "shape"));
  const numbers = inner(message, isDouble ? "doubles" : "floats");
  const packed = (numbers?.["bytes"] ?? new Uint8Array()) as Uint8Array;
  const count = shape.reduce((product, dim) => product * dim, 1);
  const size = isDouble ? 8 : 4;
  if (packed.length !== count * size)
    throw broken(`an array of ${count} numbers, not ${packed.length / size}`);
  // Everything has been read, and in front of an array there are at least eight bytes of the messages around it.
  return {
    shape,
    values: valuesInBytes(bytes, packed.byteOffset - bytes.byteOffset, count, size, ownsBytes),
  };
}
