import type { Schema } from "./wire-reader.js";

/**
 * The messages of CNTK's C++ and Python library, by the numbers of their fields. Two things are declared otherwise than CNTK
 * declares them, with the same bytes: lists of numbers are taken as bytes, so that a large array is never spelt out number by
 * number, and maps are lists of entries.
 * Source: Source/CNTKv2LibraryDll/proto/CNTK.proto.
 */
export const librarySchema = {
  NDShape: { 1: { name: "dims", type: "uint64", repeated: true } },
  Axis: {
    1: { name: "index", type: "int32" },
    2: { name: "name", type: "string" },
    3: { name: "isOrdered", type: "bool" },
  },
  PackedNumbers: { 1: { name: "bytes", type: "bytes" } },
  NDArrayView: {
    1: { name: "dataType", type: "int32" },
    2: { name: "storageFormat", type: "int32" },
    3: { name: "shape", type: "NDShape" },
    4: { name: "floats", type: "PackedNumbers" },
    5: { name: "doubles", type: "PackedNumbers" },
  },
  Vector: { 1: { name: "values", type: "DictionaryValue", repeated: true } },
  Entry: { 1: { name: "key", type: "string" }, 2: { name: "value", type: "DictionaryValue" } },
  Dictionary: {
    1: { name: "version", type: "uint64" },
    2: { name: "entries", type: "Entry", repeated: true },
  },
  DictionaryValue: {
    1: { name: "version", type: "uint64" },
    2: { name: "valueType", type: "int32" },
    3: { name: "boolean", type: "bool" },
    4: { name: "integer", type: "int32" },
    5: { name: "size", type: "uint64" },
    6: { name: "float", type: "float" },
    7: { name: "double", type: "double" },
    8: { name: "text", type: "string" },
    9: { name: "shape", type: "NDShape" },
    10: { name: "axis", type: "Axis" },
    11: { name: "vector", type: "Vector" },
    12: { name: "dictionary", type: "Dictionary" },
    13: { name: "array", type: "NDArrayView" },
  },
} as const satisfies Schema;
