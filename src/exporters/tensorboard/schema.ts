/**
 * The messages of TensorBoard's event files that are written here, in the notation of protobufjs.
 * Source: event.proto, summary.proto, graph.proto, attr_value.proto and tensor_shape.proto of TensorFlow.
 */
export const eventSchema = {
  nested: {
    Event: {
      fields: {
        wallTime: { type: "double", id: 1 },
        step: { type: "int64", id: 2 },
        fileVersion: { type: "string", id: 3 },
        graphDef: { type: "bytes", id: 4 },
        summary: { type: "Summary", id: 5 },
      },
    },
    Summary: { fields: { value: { rule: "repeated", type: "SummaryValue", id: 1 } } },
    SummaryValue: { fields: { tag: { type: "string", id: 1 }, simpleValue: { type: "float", id: 2 } } },
    GraphDef: { fields: { node: { rule: "repeated", type: "NodeDef", id: 1 } } },
    NodeDef: {
      fields: {
        name: { type: "string", id: 1 },
        op: { type: "string", id: 2 },
        input: { rule: "repeated", type: "string", id: 3 },
        attr: { keyType: "string", type: "AttrValue", id: 5 },
      },
    },
    AttrValue: {
      fields: {
        list: { type: "ListValue", id: 1 },
        type: { type: "int32", id: 6 },
        shape: { type: "TensorShape", id: 7 },
      },
    },
    ListValue: { fields: { shape: { rule: "repeated", type: "TensorShape", id: 7 } } },
    TensorShape: { fields: { dim: { rule: "repeated", type: "Dimension", id: 2 } } },
    Dimension: { fields: { size: { type: "int64", id: 1 } } },
  },
} as const;

/** Numbers of element types (types.proto). */
export const elementTypes = { float: 1, double: 2 } as const;
