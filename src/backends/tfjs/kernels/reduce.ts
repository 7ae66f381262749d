import type { ReduceInstructionOperation } from "../../../primitives/instruction.js";
import type { LoopAxis } from "../layout.js";
import { generate } from "./generated.js";
import { turnsOf, writeLoops } from "./loops.js";

/** Reduces `input` into `output`, `outputCount` numbers of which each is the reduction of its own part. */
export type ReduceFunction = (
  samples: number,
  input: Float32Array,
  output: Float32Array,
  outputCount: number,
) => void;

type Pass = (samples: number, input: Float32Array, result: Float64Array, helper: Float64Array | null) => void;

function compilePass(lines: readonly string[]): Pass {
  return generate<Pass>(["samples", "input", "result", "helper"], lines);
}

const names = ["x", "r", "k"];

/** Position of an operand in the innermost loop. */
function at(name: string, nest: readonly LoopAxis[]): string {
  return nest.length === 0 ? "0" : `${name}_${nest.length}`;
}

/** One statement per element: `x` and `r` stand for positions in input and result, `k` for the reduced index. */
function elementPass(nest: readonly LoopAxis[], statement: string): Pass {
  const text = statement
    .replaceAll("$x", `input[${at("x", nest)}]`)
    .replaceAll("$r", at("r", nest))
    .replaceAll("$k", at("k", nest));
  return compilePass(writeLoops(nest, names, [text]));
}

/**
 * Sums `term` in double. Where the innermost loop is reduced, four sums run side by side: one would wait for each
 * addition to finish.
 */
function sumPass(nest: readonly LoopAxis[], term: (element: string) => string): Pass {
  const last = nest[nest.length - 1];
  if (!last || last.strides[1] !== 0) {
    return compilePass(
      writeLoops(nest, names, [`result[${at("r", nest)}] += ${term(`input[${at("x", nest)}]`)};`]),
    );
  }
  const outer = nest.slice(0, -1);
  const distance = last.strides[0] as number;
  const body = [
    `const n = ${turnsOf(last)};`,
    `const r = ${at("r", outer)};`,
    `let x = ${at("x", outer)}, i = 0, s0 = 0, s1 = 0, s2 = 0, s3 = 0;`,
    `for (; i + 3 < n; i += 4, x += ${distance * 4}) {`,
    ...[0, 1, 2, 3].map((lane) => `s${lane} += ${term(`input[x + ${lane * distance}]`)};`),
    `}`,
    `for (; i < n; i++, x += ${distance}) s0 += ${term("input[x]")};`,
    `result[r] += (s0 + s1) + (s2 + s3);`,
  ];
  return compilePass(writeLoops(outer, names, body));
}

/**
 * Compiles a reduction. The nest's operands are the input, the output (standing still along reduced axes) and the
 * flat index within the reduced axes (standing still along the others).
 * Everything is computed in double, rounded to float, multiplied by `scale` and rounded again.
 */
export function compileReduce(
  operation: ReduceInstructionOperation,
  nest: readonly LoopAxis[],
  scale: number,
): ReduceFunction {
  const factor = Math.fround(scale);
  const finish = (result: Float64Array, output: Float32Array) => {
    for (let i = 0; i < output.length; i++) output[i] = Math.fround(result[i] as number) * factor;
  };
  const single =
    (start: number, pass: Pass): ReduceFunction =>
    (samples, input, output, outputCount) => {
      const result = new Float64Array(outputCount);
      if (start !== 0) result.fill(start);
      pass(samples, input, result, null);
      finish(result, output);
    };
  switch (operation) {
    case "sum":
      return single(
        0,
        sumPass(nest, (element) => element),
      );
    case "product":
      return single(1, elementPass(nest, "result[$r] *= $x;"));
    case "max":
      return single(-Infinity, elementPass(nest, "if ($x > result[$r]) result[$r] = $x;"));
    case "min":
      return single(Infinity, elementPass(nest, "if ($x < result[$r]) result[$r] = $x;"));
    case "logSum": {
      const largest = elementPass(nest, "if ($x > helper[$r]) helper[$r] = $x;");
      const sum = elementPass(nest, "result[$r] += Math.exp($x - helper[$r]);");
      return (samples, input, output, outputCount) => {
        const maximum = new Float64Array(outputCount).fill(-Infinity);
        const result = new Float64Array(outputCount);
        largest(samples, input, result, maximum);
        // An infinite maximum would make every difference NaN.
        const finite = maximum.map((value) => (Number.isFinite(value) ? value : 0));
        sum(samples, input, result, finite);
        for (let i = 0; i < outputCount; i++) {
          result[i] = (finite[i] as number) + Math.log(result[i] as number);
        }
        finish(result, output);
      };
    }
    case "argmax":
    case "argmin": {
      const better = operation === "argmax" ? ">" : "<";
      const worst = operation === "argmax" ? -Infinity : Infinity;
      const pass = elementPass(
        nest,
        `const v = $x; if (v ${better} helper[$r] || (v === helper[$r] && $k < result[$r])) { helper[$r] = v; result[$r] = $k; }`,
      );
      return (samples, input, output, outputCount) => {
        const result = new Float64Array(outputCount).fill(Infinity);
        pass(samples, input, result, new Float64Array(outputCount).fill(worst));
        for (let i = 0; i < outputCount; i++) if (result[i] === Infinity) result[i] = 0;
        finish(result, output);
      };
    }
  }
}
