/**
 * The messages of CNTK's C++ and Python library, in the notation of protobufjs. Two things are declared otherwise than CNTK
 * declares them, with the same bytes: lists of numbers are taken as bytes, so that a large array is never spelt out number by
 * number, and maps are lists of entries.
 * Source: Source/CNTKv2LibraryDll/proto/CNTK.proto.
 */
export const librarySchema = {
  nested: {
    NDShape: { fields: { dims: { rule: "repeated", type: "uint64", id: 1 } } },
    Axis: {
      fields: {
        index: { type: "int32", id: 1 },
        name: { type: "string", id: 2 },
        isOrdered: { type: "bool", id: 3 },
      },
    },
    PackedNumbers: { fields: { bytes: { type: "bytes", id: 1 } } },
    NDArrayView: {
      fields: {
        dataType: { type: "int32", id: 1 },
        storageFormat: { type: "int32", id: 2 },
        shape: { type: "NDShape", id: 3 },
        floats: { type: "PackedNumbers", id: 4 },
        doubles: { type: "PackedNumbers", id: 5 },
      },
    },
    Vector: { fields: { values: { rule: "repeated", type: "DictionaryValue", id: 1 } } },
    Entry: { fields: { key: { type: "string", id: 1 }, value: { type: "DictionaryValue", id: 2 } } },
    Dictionary: {
      fields: { version: { type: "uint64", id: 1 }, entries: { rule: "repeated", type: "Entry", id: 2 } },
    },
    DictionaryValue: {
      fields: {
        version: { type: "uint64", id: 1 },
        valueType: { type: "int32", id: 2 },
        boolean: { type: "bool", id: 3 },
        integer: { type: "int32", id: 4 },
        size: { type: "uint64", id: 5 },
        float: { type: "float", id: 6 },
        double: { type: "double", id: 7 },
        text: { type: "string", id: 8 },
        shape: { type: "NDShape", id: 9 },
        axis: { type: "Axis", id: 10 },
        vector: { type: "Vector", id: 11 },
        dictionary: { type: "Dictionary", id: 12 },
        array: { type: "NDArrayView", id: 13 },
      },
    },
  },
} as const;
