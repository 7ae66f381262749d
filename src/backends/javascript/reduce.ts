import type { Values } from "../../numerics/values.js";
import type { ReduceOperation } from "../../primitives/parameters.js";
import { operandAt, type KernelCompiler } from "../host/kernel.js";
import { compileCode } from "./generated-code.js";
import { loopNest, loopsCode, type LoopAxis, type LoopStyle } from "./loop-nest.js";

type ReduceFunction = (output: Values, input: Values, columns: number, gaps: Uint8Array | null) => void;

/**
 * Reduces x to the result's dims. A sum runs in double over neighbouring reduced axes; where several such groups are separated
 * by kept axes (bias gradients: width·height, then columns), each inner group's total is rounded to the element type before
 * it is added, as in CNTK's tensor library (TensorView.cpp, CPUMatrixTensorImpl.h).
 * The result is rounded, then multiplied by the scale, then rounded.
 */
export const compileReduce: KernelCompiler<"reduce"> = ({ reads, writes, parameters }, { elementType }) => {
  const x = operandAt(reads, 0);
  const { operation, scale, gaps } = parameters;
  // Both operands walk over x's cells; the result's place stands still along a reduced axis.
  const axes = loopNest(x, [writes, x]);
  const kept = axes.filter((axis) => axis.strides[0] !== 0);
  const reduced = axes.filter((axis) => axis.strides[0] === 0);
  const round = elementType === "float" ? (code: string) => `Math.fround(${code})` : (code: string) => code;
  const compile = (skipsGaps: boolean) => {
    const reduction = reductionCode(operation, round, skipsGaps);
    const body = loopsCode(
      kept,
      ["0", "0"],
      ([to, from]) => {
        const scaled = scale === 1 ? "total" : `${round("total")} * ${round(String(scale))}`;
        return `${reduction(reduced, from ?? "0")}\noutput[${to}] = ${scaled};`;
      },
      { prefix: "k" },
    );
    return compileCode<ReduceFunction>(["output", "input", "columns", "gaps"], body);
  };
  const everything = compile(false);
  if (x.axis === writes.axis || gaps === "counted") {
    return (run) => everything(run.view(writes), run.view(x), run.columns(x.axis), null);
  }
  const samples = compile(true);
  return (run) => {
    const mask = run.gaps(x.axis);
    (mask ? samples : everything)(run.view(writes), run.view(x), run.columns(x.axis), mask);
  };
};

type RoundCode = (code: string) => string;
type ReductionCode = (axes: readonly LoopAxis[], from: string) => string;

/** JavaScript that leaves the reduction of the cells at `from` in `total`. */
function reductionCode(operation: ReduceOperation, round: RoundCode, skipsGaps: boolean): ReductionCode {
  const style = (prefix: string, skip: (size: number) => string = () => ""): LoopStyle =>
    skipsGaps ? { prefix, skipping: skip } : { prefix };
  const cells = (axes: readonly LoopAxis[], from: string, step: (x: string) => string, prefix = "r") =>
    loopsCode(axes, ["0", from], ([, place]) => step(`input[${place}]`), style(prefix));
  const fold =
    (start: string, step: (x: string) => string): ReductionCode =>
    (axes, from) =>
      `let total = ${start};\n${cells(axes, from, step)}`;
  /** The loops run in memory order, so a counter is the flat index within the reduced axes. */
  const positionOf =
    (start: string, comparison: string): ReductionCode =>
    (axes, from) => {
      const step = (x: string) =>
        `if (${x} ${comparison} best) { best = ${x}; total = counter; }\ncounter++;`;
      const inner = axes.slice(0, -1).reduce((product, { size }) => product * size, 1);
      const passOver = (size: number) => `counter += ${size * inner};`;
      const loops = loopsCode(
        axes,
        ["0", from],
        ([, place]) => step(`input[${place}]`),
        style("r", passOver),
      );
      return `let best = ${start}, counter = 0, total = 0;\n${loops}`;
    };
  switch (operation) {
    case "sum":
      return (axes, from) => `let total = 0;\n${sumCode(axes, axes.length - 1, from, "total", round, style)}`;
    case "product":
      return fold("1", (x) => `total *= ${x};`);
    // As CNTK compares: of a number and what is no number the later one counts.
    case "max":
      return fold("-Infinity", (x) => `if (!(total > ${x})) total = ${x};`);
    case "min":
      return fold("Infinity", (x) => `if (!(total < ${x})) total = ${x};`);
    case "argmax":
      return positionOf("-Infinity", ">");
    case "argmin":
      return positionOf("Infinity", "<");
    case "logSum":
      // Shifted by the maximum, so that nothing overflows.
      return (axes, from) => `let total = -Infinity;
${cells(axes, from, (x) => `if (!(total > ${x})) total = ${x};`, "m")}
if (total > -Infinity && total < Infinity) {
let sum = 0;
${cells(axes, from, (x) => `sum += Math.exp(${x} - total);`, "s")}
total += Math.log(sum);
}`;
    default:
      return operation satisfies never;
  }
}

/** Adds the cells at `from` to the variable `into`; each level but the outermost has a total of its own. */
function sumCode(
  axes: readonly LoopAxis[],
  level: number,
  from: string,
  into: string,
  round: RoundCode,
  style: (prefix: string) => LoopStyle,
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
${sumCode(axes, level - 1, place ?? from, inner, round, style)}
${into} += ${round(inner)};`;
    },
    style(`r${level}_`),
  );
}
