import type { ReduceInstructionOperation } from "../../primitives/instruction.js";
import type { Values } from "../backend.js";
import { compileCode } from "./generated-code.js";
import { memoryOf, type KernelCompiler } from "./kernel.js";
import { loopNest, loopsCode, type LoopAxis } from "./loop-nest.js";

/**
 * Reduces the input to the output's dims. A sum runs in double over neighbouring reduced axes; where several such
 * groups are separated by kept axes (bias gradients: width·height, then samples), each inner group's total is rounded to
 * the element type before it is added, as in CNTK's tensor library (TensorView.cpp, CPUMatrixTensorImpl.h).
 * The result is rounded, then multiplied by the scale, then rounded.
 */
export const compileReduce: KernelCompiler<"reduce"> = (instruction, elementType) => {
  const { input, output, operation, scale } = instruction;
  // Both operands walk over the input's cells; the output's place stands still along a reduced axis.
  const axes = loopNest(input, [output, input]);
  const kept = axes.filter((axis) => axis.strides[0] !== 0);
  const reduced = axes.filter((axis) => axis.strides[0] === 0);
  const round = elementType === "float" ? (code: string) => `Math.fround(${code})` : (code: string) => code;
  const body = loopsCode(
    kept,
    ["0", "0"],
    ([to, from]) => {
      const total = reductionCode[operation](reduced, from ?? "0", round);
      const scaled = scale === 1 ? "total" : `${round("total")} * ${round(String(scale))}`;
      return `${total}\noutput[${to}] = ${scaled};`;
    },
    kept.length - 1,
    "k",
  );
  const compiled = compileCode<(output: Values, input: Values, samples: number) => void>(
    ["output", "input", "samples"],
    body,
  );
  return (run) => compiled(memoryOf(run, output.buffer), memoryOf(run, input.buffer), run.samples);
};

type RoundCode = (code: string) => string;

/** JavaScript that leaves the reduction of the cells at `from` in `total`. */
const reductionCode: Record<
  ReduceInstructionOperation,
  (axes: readonly LoopAxis[], from: string, round: RoundCode) => string
> = {
  sum: (axes, from, round) => `let total = 0;\n${sumCode(axes, axes.length - 1, from, "total", round)}`,
  product: (axes, from) => fold(axes, from, "1", (x) => `total *= ${x};`),
  max: (axes, from) => fold(axes, from, "-Infinity", (x) => `if (${x} > total) total = ${x};`),
  min: (axes, from) => fold(axes, from, "Infinity", (x) => `if (${x} < total) total = ${x};`),
  argmax: (axes, from) => positionOf(axes, from, "-Infinity", ">"),
  argmin: (axes, from) => positionOf(axes, from, "Infinity", "<"),
  // Shifted by the maximum, so that nothing overflows.
  logSum: (axes, from) => `let total = -Infinity;
${cells(axes, from, (x) => `if (${x} > total) total = ${x};`, "m")}
if (total > -Infinity && total < Infinity) {
let sum = 0;
${cells(axes, from, (x) => `sum += Math.exp(${x} - total);`, "s")}
total += Math.log(sum);
}`,
};

function cells(axes: readonly LoopAxis[], from: string, step: (x: string) => string, prefix = "r"): string {
  return loopsCode(axes, ["0", from], ([, place]) => step(`input[${place}]`), axes.length - 1, prefix);
}

function fold(axes: readonly LoopAxis[], from: string, start: string, step: (x: string) => string): string {
  return `let total = ${start};\n${cells(axes, from, step)}`;
}

/** The loops run in memory order, so a counter is the flat index within the reduced axes. */
function positionOf(axes: readonly LoopAxis[], from: string, start: string, comparison: string): string {
  const step = (x: string) => `if (${x} ${comparison} best) { best = ${x}; total = counter; }\ncounter++;`;
  return `let best = ${start}, counter = 0, total = 0;\n${cells(axes, from, step)}`;
}

/** Adds the cells at `from` to the variable `into`; each level but the outermost has a total of its own. */
function sumCode(
  axes: readonly LoopAxis[],
  level: number,
  from: string,
  into: string,
  round: RoundCode,
): string {
  const axis = axes[level];
  if (!axis) return `${into} += input[${from}];`;
  return loopsCode(
    [axis],
    ["0", from],
    ([, place]) => {
      if (level === 0) return `${into} += input[${place}];`;
      const inner = `sum${level}`;
      return `let ${inner} = 0;
${sumCode(axes, level - 1, place ?? from, inner, round)}
${into} += ${round(inner)};`;
    },
    0,
    `r${level}_`,
  );
}
