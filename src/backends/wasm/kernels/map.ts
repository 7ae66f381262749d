import { i32, type Local, local } from "wasmati";
import type { Expression } from "../../../primitives/expression.js";
import { scalarsOf } from "../../../primitives/expression.js";
import { dataKey } from "../../../plan/rewrite.js";
import { loopNest, type LoopAxis } from "../../javascript/loop-nest.js";
import { define, variable, type Routine } from "../emit/function.js";
import type { Access } from "../emit/lanes.js";
import { advance, repeat } from "../emit/loops.js";
import { evaluated } from "./expression.js";
import { address, columns, units, type WasmCompiler, type WasmContext } from "./kernel.js";
import { turns, walk } from "./walk.js";

/** writes = expression(reads), each operand stretched over the axes (and columns) it lacks. */
export const compileMap: WasmCompiler<"map"> = ({ reads, writes, parameters }, context) => {
  const { expression } = parameters;
  const axes = loopNest(writes, [writes, ...reads]);
  const scalars = [...new Set(scalarsOf(expression))];
  const routine = mapRoutine(context, expression, axes, reads.length, scalars);
  // One loop only: its length is told, so that operands of any size share the routine.
  const [only] = axes;
  const isFlat = axes.length <= 1;
  const operands = [writes, ...reads];
  const numbers = scalars.map((name) => ({ kind: "scalar" as const, name }));
  if (isFlat && only && writes.axis === null) {
    const places = operands.map((operand, k) =>
      address(operand, (only.strides[k] ?? 0) * context.lanes.bytes),
    );
    const cut = { count: only.size, work: workOfElement, grain: 64 };
    return [{ routine, arguments: [...places, units, ...numbers], units: cut }];
  }
  const count = columns(writes.axis, isFlat ? (only?.size ?? 1) : 1);
  return [{ routine, arguments: [...operands.map((operand) => address(operand)), count, ...numbers] }];
};

/** In multiplications of a product: an element goes through memory. */
const workOfElement = 4;

/** (result, operand…, columns, scalar…) */
function mapRoutine(
  context: WasmContext,
  expression: Expression,
  given: readonly LoopAxis[],
  operands: number,
  scalars: readonly string[],
): Routine {
  const flat = given.length <= 1;
  const axes = flat ? [{ ...(given[0] ?? { strides: [1] }), size: 1, isColumns: true }] : given;
  const names = new Map(scalars.map((name, index) => [name, index]));
  const key = `map ${dataKey(axes)} ${dataKey(expression).replace(/name:("(?:[^"\\]|\\.)*")/g, (_, name: string) => `scalar ${names.get(JSON.parse(name) as string)}`)}`;
  return context.routine(key, () =>
    define(
      Array.from({ length: operands + 2 + scalars.length }, () => "i32" as const),
      [],
      (parameters) => {
        const places = parameters.slice(0, operands + 1);
        const count = parameters[operands + 1] as Local<"i32">;
        const numbers = new Map(
          scalars.map((name, i) => [
            name,
            variable("v128", context.lanes.spread(parameters[operands + 2 + i] as Local<"i32">)),
          ]),
        );
        const [inner, ...outer] = axes as [LoopAxis, ...LoopAxis[]];
        walk(outer, places, count, context.lanes.bytes, (at) =>
          mapRun(context, expression, inner, at, turns(inner, count), numbers),
        );
      },
    ),
  );
}

/** The innermost loop: a vector of neighbours at a time, the rest one by one; what does not move is spread before. */
function mapRun(
  context: WasmContext,
  expression: Expression,
  { strides }: LoopAxis,
  [to, ...from]: readonly Local<"i32">[],
  count: Local<"i32">,
  scalars: ReadonlyMap<string, Local<"v128">>,
): void {
  const { lanes } = context;
  const still = from.map((place, k) =>
    strides[k + 1] === 0 ? variable("v128", lanes.spread(place)) : undefined,
  );
  const step = (access: Access) => () => {
    const args = from.map((place, k) => still[k] ?? variable("v128", access.load(place)));
    const result = evaluated(context, expression, args, scalars);
    access.store(to as Local<"i32">, 0, () => local.get(result));
    [to as Local<"i32">, ...from].forEach((place, k) => {
      advance(place, (strides[k] ?? 0) * access.count * lanes.bytes);
    });
  };
  const vectors = variable("i32", i32.shr_u(count, Math.log2(lanes.count)));
  const rest = variable("i32", i32.and(count, lanes.count - 1));
  repeat(vectors, step(lanes.whole));
  repeat(rest, step(lanes.single));
}
