import { call, f32, f32x4, f64, f64x2, importFunc, local, type Local } from "wasmati";
import type { ElementType } from "../../../numerics/values.js";
import { roundingOf } from "../../../plan/fold-constants.js";
import type { BinaryOperator, UnaryOperator } from "../../../primitives/expression.js";
import { binaryFunctions, unaryFunctions } from "../../../primitives/scalar-functions.js";
import { define, variable, type Routine } from "../emit/function.js";
import type { WasmContext } from "./kernel.js";

/*
 * Functions of one number, or two, that the module asks the host for, lane by lane: in double all that is no arithmetic, so that
 * the digits are those of the other backends; in float what has no series here.
 */

const module = "mathematics";

/** What the import object holds under `mathematics`. */
export function mathematics(elementType: ElementType): Readonly<Record<string, unknown>> {
  const round = roundingOf(elementType);
  const functions: Record<string, unknown> = {};
  for (const [name, of] of Object.entries(unaryFunctions)) functions[name] = (x: number) => of(x, round);
  for (const [name, of] of Object.entries(binaryFunctions)) {
    functions[name] = (a: number, b: number) => of(a, b, round);
  }
  // By themselves, so that the engine calls its own code.
  return {
    ...functions,
    exponential: Math.exp,
    hyperbolicTangent: Math.tanh,
    sine: Math.sin,
    cosine: Math.cos,
  };
}

type Operator = UnaryOperator | BinaryOperator;
const unaryImports = new Map<Operator, ReturnType<typeof unaryImport>>();
const binaryImports = new Map<Operator, ReturnType<typeof binaryImport>>();

function unaryImport(name: Operator) {
  const imported = importFunc({ in: [{ kind: "f64" }], out: [{ kind: "f64" }] }, () => 0);
  return { ...imported, module, string: name };
}

function binaryImport(name: Operator) {
  const imported = importFunc({ in: [{ kind: "f64" }, { kind: "f64" }], out: [{ kind: "f64" }] }, () => 0);
  return { ...imported, module, string: name };
}

function once<T>(known: Map<Operator, T>, name: Operator, make: (name: Operator) => T): T {
  const found = known.get(name);
  if (found !== undefined) return found;
  const made = make(name);
  known.set(name, made);
  return made;
}

/** f(x), or f(a, b), of all lanes. */
export function laneByLane(
  context: WasmContext,
  operator: Operator,
  operands: readonly Local<"v128">[],
): Local<"v128"> {
  call(operands.length === 1 ? unaryLanes(context, operator) : binaryLanes(context, operator), [...operands]);
  const result = variable("v128");
  local.set(result);
  return result;
}

function unaryLanes(context: WasmContext, operator: Operator): Routine {
  const imported = once(unaryImports, operator, unaryImport);
  return context.routine(`lanes ${operator}`, () =>
    define(["v128"], ["v128"], ([x]) => {
      everyLane(context, x, (lane) => {
        laneOf(context, x, lane);
        call(imported);
      });
    }),
  );
}

function binaryLanes(context: WasmContext, operator: Operator): Routine {
  const imported = once(binaryImports, operator, binaryImport);
  return context.routine(`lanes ${operator}`, () =>
    define(["v128", "v128"], ["v128"], ([a, b]) => {
      everyLane(context, a, (lane) => {
        laneOf(context, a, lane);
        laneOf(context, b, lane);
        call(imported);
      });
    }),
  );
}

/** Leaves a vector whose lanes `value` computes, as doubles. */
function everyLane({ lanes }: WasmContext, like: Local<"v128">, value: (lane: number) => void): void {
  const result = variable("v128", like);
  for (let lane = 0; lane < lanes.count; lane++) {
    local.get(result);
    value(lane);
    if (lanes.elementType === "float") {
      f32.demote_f64();
      f32x4.replace_lane(lane);
    } else f64x2.replace_lane(lane);
    local.set(result);
  }
  local.get(result);
}

function laneOf({ lanes }: WasmContext, x: Local<"v128">, lane: number): void {
  if (lanes.elementType === "float") f64.promote_f32(f32x4.extract_lane(lane, x));
  else f64x2.extract_lane(lane, x);
}

/** The host's function of one number, a double. */
export const hostFunction = (operator: UnaryOperator) => once(unaryImports, operator, unaryImport);
