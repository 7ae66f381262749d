import type { NetworkNode } from "../network/network.js";
import type { GradientContext, MemoryRule, OpDefinition } from "../network/op-definition.js";
import {
  add,
  argument,
  binary,
  constant,
  divide,
  multiply,
  select,
  subtract,
  unary,
} from "../primitives/expression.js";
import type { BinaryOperator, Expression } from "../primitives/expression.js";
import { at, defineOp, memoryInputs, memoryNone, memoryOutput } from "./define-op.js";
import { emitMap } from "./lowering.js";
import { binaryZip, naryZip, unaryMap } from "./shape-rules.js";

/*
 * Operations that work element by element. Their gradients are expressions over named values: the incoming gradient g, the
 * inputs and the output. Formulas and guards follow Source/Math/TensorOps.h.
 */

const x = argument(0);
const negate = (value: Expression): Expression => unary("negate", value);

/** A unary operation: the gradient is an expression of argument 0 = g, 1 = the value it needs (input or output). */
function unaryOp(
  name: string,
  doc: string,
  forward: Expression,
  gradient: { readonly of: "input" | "output" | "none"; readonly expression: Expression } | undefined,
  extra: Partial<OpDefinition> = {},
): OpDefinition {
  const memories: Readonly<Record<string, MemoryRule>> = {
    input: memoryInputs,
    output: memoryOutput,
    none: memoryNone,
  };
  return defineOp({
    name,
    doc,
    source: "Source/ComputationNetworkLib/NonlinearityNodes.h",
    inputs: [{ name: "x", doc: "Any shape." }],
    attributes: {},
    differentiable: gradient ? "yes" : "none",
    memory: memories[gradient?.of ?? "none"] ?? memoryNone,
    shape: unaryMap,
    ...(gradient && {
      gradient({ node, inputs, outputGradient, build }: GradientContext): readonly NetworkNode[] {
        if (gradient.expression === g) return [outputGradient];
        const value = gradient.of === "input" ? [at(inputs, 0)] : gradient.of === "output" ? [node] : [];
        return [build.map(gradient.expression, [outputGradient, ...value])];
      },
    }),
    lower: (context) => emitMap(context, forward),
    ...extra,
  });
}

const g = argument(0);
/** The input or output that a gradient of a unary operation is made of. */
const v = argument(1);
const linearAlgebra = { source: "Source/ComputationNetworkLib/LinearAlgebraNodes.h" } as const;
const oneMinus = (value: Expression): Expression => subtract(constant(1), value);
const sigmoidGradient = { of: "output", expression: multiply(g, multiply(v, oneMinus(v))) } as const;
const identityGradient = { of: "none", expression: g } as const;

/** q / (1 + q) or 1 / (1 + q) with q = e^−|x|: never overflows. */
const stableSigmoid = (value: Expression): Expression => {
  const q = unary("exponential", negate(unary("absolute", value)));
  return divide(select(binary("greater", value, constant(0)), constant(1), q), add(constant(1), q));
};

const unaryOperations: readonly OpDefinition[] = [
  unaryOp("Abs", "|x|", unary("absolute", x), {
    of: "input",
    expression: multiply(g, unary("sign", v)),
  }),
  unaryOp("Cosine", "cos x", unary("cosine", x), {
    of: "input",
    expression: multiply(g, negate(unary("sine", v))),
  }),
  unaryOp("Sin", "sin x", unary("sine", x), {
    of: "input",
    expression: multiply(g, unary("cosine", v)),
  }),
  unaryOp("Exp", "eˣ", unary("exponential", x), { of: "output", expression: multiply(g, v) }),
  unaryOp("Floor", "The greatest whole number ≤ x. No gradient flows.", unary("floor", x), undefined),
  unaryOp(
    "Log",
    "ln x; −85.1 where x < 1e-37, for negative x too.",
    unary("logarithm", x),
    { of: "output", expression: multiply(g, unary("exponential", negate(v))) },
    {
      gradientDiffers:
        "where x < 1e-37 the value is constant, yet the gradient is g·e^85.1: it is made from the output",
    },
  ),
  unaryOp("Negate", "−x", negate(x), { of: "none", expression: negate(g) }, linearAlgebra),
  unaryOp("Pass", "The input, unchanged.", x, identityGradient),
  unaryOp("LabelsToGraph", "x, marked as the labels of a sequence criterion.", x, identityGradient, {
    source: "Source/ComputationNetworkLib/SpecialPurposeNodes.h",
  }),
  unaryOp("Reciprocal", "1/x, and 0 where x = 0.", unary("reciprocal", x), {
    of: "output",
    expression: multiply(g, negate(multiply(v, v))),
  }),
  unaryOp("RectifiedLinear", "max(x, 0)", unary("rectify", x), {
    of: "output",
    expression: select(binary("greater", v, constant(0)), g, constant(0)),
  }),
  unaryOp("Sigmoid", "1/(1+e^−x), by that formula.", unary("sigmoid", x), sigmoidGradient),
  unaryOp("StableSigmoid", "1/(1+e^−x), by way of e^−|x|.", stableSigmoid(x), sigmoidGradient),
  unaryOp(
    "Sqrt",
    "√x, and 0 for negative x.",
    unary("squareRoot", x),
    { of: "output", expression: divide(g, multiply(constant(2), v)) },
    {
      gradientDiffers:
        "g/(2·output) is infinite (or NaN for g = 0) where x ≤ 0, though the value is constant there",
    },
  ),
  unaryOp("Tanh", "tanh x", unary("hyperbolicTangent", x), {
    of: "output",
    expression: multiply(g, oneMinus(multiply(v, v))),
  }),
];

const pair = [
  { name: "a", doc: "Any shape; dimensions of 1 and missing ones are broadcast." },
  { name: "b", doc: "Any shape; dimensions of 1 and missing ones are broadcast." },
] as const;

const plus = defineOp({
  name: "Plus",
  doc: "a + b",
  ...linearAlgebra,
  inputs: pair,
  attributes: {},
  differentiable: "yes",
  memory: memoryNone,
  shape: binaryZip,
  gradient: ({ outputGradient }) => [outputGradient, outputGradient],
  lower: (context) => emitMap(context, add(argument(0), argument(1))),
});

const minus = defineOp({
  ...plus,
  name: "Minus",
  doc: "a − b",
  gradient: ({ outputGradient, wants, build }) => [
    outputGradient,
    wants(1) ? build.map(negate(g), [outputGradient]) : null,
  ],
  lower: (context) => emitMap(context, subtract(argument(0), argument(1))),
});

const elementTimes = defineOp({
  ...plus,
  name: "ElementTimes",
  aliases: ["ColumnElementTimes", "RowElementTimes", "Scale"],
  doc: "a · b, element by element",
  memory: memoryInputs,
  // d(ab) = b·da + a·db
  gradient: ({ inputs, outputGradient, wants, build }) =>
    [0, 1].map((index) =>
      wants(index)
        ? build.map(multiply(argument(0), argument(1)), [outputGradient, at(inputs, 1 - index)])
        : null,
    ),
  lower: (context) => emitMap(context, multiply(argument(0), argument(1))),
});

const logPlus = defineOp({
  ...plus,
  name: "LogPlus",
  doc: "ln(eᵃ + eᵇ) without overflow",
  memory: memoryInputs,
  // The share of each: σ(own − other).
  gradient: ({ inputs, outputGradient, wants, build }) =>
    [0, 1].map((index) =>
      wants(index)
        ? build.map(multiply(argument(0), stableSigmoid(subtract(argument(1), argument(2)))), [
            outputGradient,
            at(inputs, index),
            at(inputs, 1 - index),
          ])
        : null,
    ),
  lower: (context) => emitMap(context, binary("logAdd", argument(0), argument(1))),
});

function comparison(name: string, sign: string, operator: BinaryOperator): OpDefinition {
  return defineOp({
    name,
    doc: `1 where a ${sign} b, 0 elsewhere. No gradient flows.`,
    source: "Source/ComputationNetworkLib/NonlinearityNodes.h",
    inputs: pair,
    attributes: {},
    differentiable: "none",
    memory: { usesOutput: false, usesInputs: "first" },
    shape: binaryZip,
    lower: (context) => emitMap(context, binary(operator, argument(0), argument(1))),
  });
}

const ifOp = defineOp({
  name: "If",
  doc: "whenTrue where the flag is not 0, whenFalse elsewhere. The flag gets no gradient.",
  source: "Source/ComputationNetworkLib/NonlinearityNodes.h",
  inputs: [
    { name: "flag", doc: "0 or not." },
    { name: "whenTrue", doc: "Taken where the flag is not 0." },
    { name: "whenFalse", doc: "Taken where the flag is 0." },
  ],
  attributes: {},
  differentiable: "yes",
  memory: { usesOutput: false, usesInputs: "first" },
  shape: (context) => ({ ...naryZip(context), storage: "dense" }),
  gradient({ inputs, outputGradient, wants, build }) {
    const operands = [at(inputs, 0), outputGradient];
    return [
      null,
      wants(1) ? build.map(select(argument(0), argument(1), constant(0)), operands) : null,
      wants(2) ? build.map(select(argument(0), constant(0), argument(1)), operands) : null,
    ];
  },
  lower: (context) => emitMap(context, select(argument(0), argument(1), argument(2))),
});

const clip = defineOp({
  name: "Clip",
  doc: "x moved into [minimum, maximum]. The bounds get no gradient; x gets it where it is not outside.",
  source: "Source/ComputationNetworkLib/NonlinearityNodes.h",
  inputs: [
    { name: "minimum", doc: "Lower bound." },
    { name: "maximum", doc: "Upper bound." },
    { name: "x", doc: "The values." },
  ],
  attributes: {},
  differentiable: "yes",
  gradientDiffers: "the bounds get no gradient, and values exactly on a bound let it pass",
  shape: naryZip,
  gradient({ node, inputs, outputGradient, wants, build }) {
    const passes = select(binary("equal", argument(1), argument(2)), argument(0), constant(0));
    return [null, null, wants(2) ? build.map(passes, [outputGradient, at(inputs, 2), node]) : null];
  },
  lower(context) {
    const [low, high, value] = [argument(0), argument(1), argument(2)];
    emitMap(
      context,
      select(binary("less", value, low), low, select(binary("greater", value, high), high, value)),
    );
  },
});

export const elementwiseOperations: readonly OpDefinition[] = [
  ...unaryOperations,
  plus,
  minus,
  elementTimes,
  logPlus,
  comparison("Less", "<", "less"),
  comparison("Equal", "=", "equal"),
  comparison("Greater", ">", "greater"),
  comparison("GreaterEqual", "≥", "greaterEqual"),
  comparison("NotEqual", "≠", "notEqual"),
  comparison("LessEqual", "≤", "lessEqual"),
  ifOp,
  clip,
];
