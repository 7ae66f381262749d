import { f32x4, f64x2, local, type Local, v128 } from "wasmati";
import type { BinaryOperator, Expression, UnaryOperator } from "../../../primitives/expression.js";
import { variable } from "../emit/function.js";
import { type Lanes, type Vector } from "../emit/lanes.js";
import { applied, type Elementary } from "./elementary.js";
import { laneByLane } from "./host-functions.js";
import type { WasmContext } from "./kernel.js";

/*
 * An expression of all lanes at a time. Guards and comparisons as primitives/scalar-functions.ts has them; the element type's own
 * arithmetic rounds every result.
 */

type V = Local<"v128">;
type Unary = (x: V, context: WasmContext) => Vector;
type Binary = (a: V, b: V, lanes: Lanes, context: WasmContext) => Vector;

const smallestLogged = Math.fround(1e-37);
const logarithmOfSmallest = Math.fround(-85.1);

/** A function that has a series in float and is the host's in double. */
const function_ =
  (name: Elementary): Unary =>
  (x, context) =>
    context.lanes.elementType === "float" ? applied(context, name, x) : laneByLane(context, name, [x]);
const exponential = function_("exponential");

const unary: Partial<Record<UnaryOperator, Unary>> = {
  negate: (x, { lanes }) => lanes.neg(x),
  absolute: (x, { lanes }) => lanes.abs(x),
  sign: (x, { lanes }) => {
    const negative = v128.bitselect(lanes.constant(-1), local.get(x), lanes.lt(x, lanes.constant(0)));
    const smaller = variable("v128", negative);
    return v128.bitselect(lanes.constant(1), local.get(smaller), lanes.gt(x, lanes.constant(0)));
  },
  exponential,
  logarithm: (x, context) => {
    const { lanes } = context;
    if (lanes.elementType !== "float") return laneByLane(context, "logarithm", [x]);
    const logarithm = applied(context, "logarithm", x);
    const isSmall = variable("v128", lanes.lt(x, lanes.constant(smallestLogged)));
    return v128.bitselect(lanes.constant(logarithmOfSmallest), logarithm, isSmall);
  },
  squareRoot: (x, { lanes }) => lanes.sqrt(lanes.pmax(lanes.constant(0), x)),
  reciprocal: (x, { lanes }) => v128.andnot(lanes.div(lanes.constant(1), x), lanes.eq(x, lanes.constant(0))),
  floor: (x, { lanes }) => lanes.floor(x),
  hyperbolicTangent: function_("hyperbolicTangent"),
  sigmoid: (x, context) => {
    const { lanes } = context;
    const power = named(exponential(variable("v128", lanes.neg(x)), context));
    return lanes.div(lanes.constant(1), lanes.add(lanes.constant(1), power));
  },
  rectify: (x, { lanes }) => lanes.pmax(lanes.constant(0), x),
  toSingle: (x, { lanes }) =>
    lanes.elementType === "float" ? x : f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(x)),
};

const comparison =
  (name: "lt" | "le" | "eq" | "ne" | "gt" | "ge"): Binary =>
  (a, b, lanes) =>
    v128.and(lanes[name](a, b), lanes.constant(1));

const binary: Partial<Record<BinaryOperator, Binary>> = {
  add: (a, b, lanes) => lanes.add(a, b),
  subtract: (a, b, lanes) => lanes.sub(a, b),
  multiply: (a, b, lanes) => lanes.mul(a, b),
  divide: (a, b, lanes) => lanes.div(a, b),
  // a > b ? a : b, also of NaN.
  maximum: (a, b, lanes) => lanes.pmax(b, a),
  minimum: (a, b, lanes) => lanes.pmin(b, a),
  less: comparison("lt"),
  lessEqual: comparison("le"),
  equal: comparison("eq"),
  notEqual: comparison("ne"),
  greater: comparison("gt"),
  greaterEqual: comparison("ge"),
};

function named(value: Vector): V {
  return typeof value === "object" && value.kind === "local" ? value : variable("v128", value);
}

/** Computes an expression; equal parts once. `scalars` are the run-time numbers, in every lane. */
export function evaluated(
  context: WasmContext,
  expression: Expression,
  args: readonly V[],
  scalars: ReadonlyMap<string, V>,
): V {
  const { lanes } = context;
  const known = new Map<string, V>();
  const numbers = new Map<V, number>();
  /** The value of this key: computed at its first use. */
  const once = (key: string, compute: () => Vector): V => {
    let value = known.get(key);
    if (!value) {
      value = named(compute());
      known.set(key, value);
    }
    if (!numbers.has(value)) numbers.set(value, numbers.size);
    return value;
  };
  const key = (operator: string, ...parts: V[]) =>
    `${operator} ${parts.map((part) => numbers.get(part)).join()}`;
  const value = (e: Expression): V => {
    switch (e.kind) {
      case "argument":
        return once(`argument ${e.index}`, () => found(args[e.index]));
      case "constant":
        return once(`constant ${Object.is(e.value, -0) ? "-0" : e.value}`, () => lanes.constant(e.value));
      case "scalar":
        return once(`scalar ${e.name}`, () => found(scalars.get(e.name)));
      case "unary": {
        const x = value(e.x);
        const known = unary[e.operator];
        return once(key(e.operator, x), () =>
          known ? known(x, context) : laneByLane(context, e.operator, [x]),
        );
      }
      case "binary": {
        const [a, b] = [value(e.a), value(e.b)];
        const known = binary[e.operator];
        return once(key(e.operator, a, b), () =>
          known ? known(a, b, lanes, context) : laneByLane(context, e.operator, [a, b]),
        );
      }
      case "select": {
        const [test, whenTrue, whenFalse] = [value(e.test), value(e.whenTrue), value(e.whenFalse)];
        return once(key("select", test, whenTrue, whenFalse), () => {
          const isTrue = variable("v128", lanes.ne(test, lanes.constant(0)));
          return v128.bitselect(whenTrue, whenFalse, isTrue);
        });
      }
      default:
        return e satisfies never;
    }
  };
  return value(expression);
}

function found(value: V | undefined): V {
  if (!value) throw new Error("the expression lacks an operand");
  return value;
}
