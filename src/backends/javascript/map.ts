import type { Values } from "../../numerics/values.js";
import { roundingOf } from "../../plan/fold-constants.js";
import { binaryFunctions, unaryFunctions } from "../../primitives/scalar-functions.js";
import type { KernelCompiler } from "../host/kernel.js";
import { expressionCode } from "./expression-code.js";
import { compileCode } from "./generated-code.js";
import { loopNest, loopsCode } from "./loop-nest.js";

type MapFunction = (
  output: Values,
  inputs: readonly Values[],
  columns: number,
  scalars: Readonly<Record<string, number>>,
  rounding: (x: number) => number,
  unary: typeof unaryFunctions,
  binary: typeof binaryFunctions,
) => void;

/** writes = expression(reads), each operand stretched over the axes (and columns) it lacks. */
export const compileMap: KernelCompiler<"map"> = ({ reads, writes, parameters }, { elementType }) => {
  const axes = loopNest(writes, [writes, ...reads]);
  const code = expressionCode(
    parameters.expression,
    reads.map((_, k) => `v${k}`),
    elementType,
  );
  const loops = loopsCode(axes, ["0", ...reads.map(() => "0")], ([place, ...places]) => {
    const loads = places.map((p, k) => `const v${k} = x${k}[${p}];`);
    return [...loads, ...code.statements, `output[${place}] = ${code.result};`].join("\n");
  });
  const arrays = reads.map((_, k) => `const x${k} = inputs[${k}];`);
  const compiled = compileCode<MapFunction>(
    ["output", "inputs", "columns", "scalars", "rounding", "unary", "binary"],
    [...arrays, code.rounding, ...code.scalars, loops].join("\n"),
  );
  const round = roundingOf(elementType);
  const inputs: Values[] = [];
  return (run) => {
    for (let k = 0; k < reads.length; k++) inputs[k] = run.view(reads[k]!);
    const columns = run.columns(writes.axis);
    compiled(run.view(writes), inputs, columns, run.scalars, round, unaryFunctions, binaryFunctions);
  };
};
