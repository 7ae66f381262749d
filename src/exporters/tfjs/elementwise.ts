import { elementTypes } from "../onnx/schema.js";
import { typeAttribute } from "./graph.js";
import { stretched, type TranslationRule, type TranslationRules } from "./translation.js";

const unary =
  (op: string): TranslationRule =>
  (translation) => {
    const x = translation.input(0);
    return translation.graph.add(op, [x], translation.name, x.dims, {}, x.type);
  };

const binary =
  (op: string): TranslationRule =>
  ({ graph, inputs, name }) =>
    graph.add(op, inputs, name, stretched(inputs), {}, inputs[0]?.type);

const comparison =
  (op: string): TranslationRule =>
  ({ graph, inputs, name }) =>
    graph.add(op, inputs, name, stretched(inputs), {}, "bool");

const alongLastAxis =
  (op: string): TranslationRule =>
  (translation) => {
    const x = translation.input(0);
    const axis = translation.integer("axis", -1);
    if (axis !== -1 && axis !== x.dims.length - 1) throw translation.refuse("it goes along an inner axis");
    return translation.graph.add(op, [x], translation.name, x.dims);
  };

/** Elementwise operations of TensorFlow, by their names in ONNX. */
export const elementwiseTranslations: TranslationRules = {
  Abs: unary("Abs"),
  Cos: unary("Cos"),
  Exp: unary("Exp"),
  Floor: unary("Floor"),
  Identity: unary("Identity"),
  Log: unary("Log"),
  Neg: unary("Neg"),
  Reciprocal: unary("Reciprocal"),
  Relu: unary("Relu"),
  Sigmoid: unary("Sigmoid"),
  Sin: unary("Sin"),
  Sqrt: unary("Sqrt"),
  Tanh: unary("Tanh"),
  Not: unary("LogicalNot"),
  Add: binary("AddV2"),
  Div: binary("RealDiv"),
  Max: binary("Maximum"),
  Min: binary("Minimum"),
  Mul: binary("Mul"),
  Sub: binary("Sub"),
  Equal: comparison("Equal"),
  Greater: comparison("Greater"),
  Less: comparison("Less"),
  Softmax: alongLastAxis("Softmax"),
  LogSoftmax: alongLastAxis("LogSoftmax"),
  Cast(translation) {
    const x = translation.input(0);
    const type = translation.integer("to", elementTypes.float) === elementTypes.bool ? "bool" : "float32";
    const attr = { SrcT: typeAttribute(x.type), DstT: typeAttribute(type) };
    return translation.graph.add("Cast", [x], translation.name, x.dims, attr, type);
  },
  Where: ({ graph, inputs, name }) => graph.add("SelectV2", inputs, name, stretched(inputs)),
  ArgMax(translation) {
    const { graph, name } = translation;
    const x = translation.input(0);
    const last = x.dims.length - 1;
    const places = translation.step(
      "ArgMax",
      [x, graph.number(last)],
      "argmax",
      x.dims.slice(0, -1),
      {},
      "int32",
    );
    const dims = [...x.dims.slice(0, -1), 1];
    return graph.add("ExpandDims", [places, graph.number(last)], name, dims, {}, "int32");
  },
};
