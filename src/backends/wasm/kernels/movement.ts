import { i32, local, type Local, memory } from "wasmati";
import { elementCount } from "../../../network/network.js";
import { dataKey } from "../../../plan/rewrite.js";
import type { InstructionOf, Operand } from "../../../primitives/instruction.js";
import { operandAt } from "../../host/kernel.js";
import { movesOf, type Move, type Movement } from "../../javascript/moves.js";
import { define, variable, type Routine } from "../emit/function.js";
import { advance, repeat } from "../emit/loops.js";
import { address, columns, type Call, type WasmCompiler, type WasmContext } from "./kernel.js";
import { cleared } from "./patch-convolution.js";
import { turns, walk } from "./walk.js";

/*
 * Kinds that only move numbers. Where both memories have neighbours side by side, vectors of them are moved.
 */

/** Same elements, other shape. */
export const compileCopy: WasmCompiler<"copy"> = ({ reads, writes }, context) => {
  const size = columns(writes.axis, elementCount(writes.dims) * context.lanes.bytes);
  return [{ routine: copied(context), arguments: [address(writes), address(operandAt(reads, 0)), size] }];
};

/** (to, from, size) */
function copied(context: WasmContext): Routine {
  return context.routine("copied", () =>
    define(["i32", "i32", "i32"], [], ([to, from, size]) => {
      local.get(to);
      local.get(from);
      local.get(size);
      memory.copy();
    }),
  );
}

export const compileTranspose: WasmCompiler<"transpose"> = (instruction, context) =>
  moves(context, instruction);

export const compileSlice: WasmCompiler<"slice"> = (instruction, context) => moves(context, instruction);

export const compileConcatenate: WasmCompiler<"concatenate"> = (instruction, context) =>
  moves(context, instruction);

/** Zeros first. */
export const compilePad: WasmCompiler<"pad"> = (instruction, context) => [
  clearing(context, instruction.writes),
  ...moves(context, instruction),
];

/** Fills an operand with zeros. */
export function clearing(context: WasmContext, writes: Operand): Call {
  const size = columns(writes.axis, elementCount(writes.dims) * context.lanes.bytes);
  return { routine: cleared(context), arguments: [address(writes), size] };
}

function moves(context: WasmContext, instruction: InstructionOf<Movement>): Call[] {
  const { writes } = instruction;
  return movesOf(instruction).map((move) => ({
    routine: moving(context, move),
    arguments: [address(writes), address(move.from), columns(writes.axis)],
  }));
}

/** (to, from, columns) */
function moving(context: WasmContext, { axes, firstTo, firstFrom }: Move): Routine {
  const { bytes } = context.lanes;
  return context.routine(`moving ${dataKey([axes, firstTo, firstFrom])}`, () =>
    define(["i32", "i32", "i32"], [], ([to, from, count]) => {
      advance(to, firstTo * bytes);
      advance(from, firstFrom * bytes);
      const [inner, ...outer] = axes;
      const isRun = inner?.strides.every((step) => step === 1) ?? false;
      walk(isRun ? outer : axes, [to, from], count, bytes, ([target, source]) => {
        copiedRun(context, target!, source!, isRun && inner ? turns(inner, count) : variable("i32", 1));
      });
    }),
  );
}

/** Copies `count` numbers; moves the places on. */
function copiedRun({ lanes }: WasmContext, to: Local<"i32">, from: Local<"i32">, count: Local<"i32">): void {
  for (const access of [lanes.whole, lanes.single]) {
    const steps = access === lanes.whole ? i32.div_u(count, lanes.count) : i32.and(count, lanes.count - 1);
    repeat(variable("i32", steps), () => {
      access.store(to, 0, () => access.load(from));
      advance(from, access.count * lanes.bytes);
      advance(to, access.count * lanes.bytes);
    });
  }
}
