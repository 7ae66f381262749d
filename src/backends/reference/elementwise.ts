import { binaryFunctions, unaryFunctions } from "../../primitives/scalar-functions.js";
import { roundingOf } from "../../plan/fold-constants.js";
import type { Values } from "../backend.js";
import { expressionCode } from "./expression-code.js";
import { compileCode } from "./generated-code.js";
import { memoryOf, type KernelCompiler } from "./kernel.js";
import { loopNest, loopsCode } from "./loop-nest.js";

type ElementwiseFunction = (
  output: Values,
  inputs: readonly Values[],
  samples: number,
  scalars: Readonly<Record<string, number>>,
  round: (x: number) => number,
  unary: typeof unaryFunctions,
  binary: typeof binaryFunctions,
) => void;

/** output = expression(inputs), each input stretched over the axes (and samples) it lacks. */
export const compileElementwise: KernelCompiler<"elementwise"> = (instruction, elementType) => {
  const { expression, inputs, output } = instruction;
  const axes = loopNest(output, [output, ...inputs]);
  const code = expressionCode(
    expression,
    inputs.map((_, k) => `v${k}`),
    elementType,
  );
  const loops = loopsCode(axes, ["0", ...inputs.map(() => "0")], ([place, ...places]) => {
    const loads = places.map((p, k) => `const v${k} = x${k}[${p}];`);
    return [...loads, ...code.statements, `output[${place}] = ${code.result};`].join("\n");
  });
  const arrays = inputs.map((_, k) => `const x${k} = inputs[${k}];`);
  // `round` is Math.fround by name, which the engine turns into one instruction.
  const rounding = elementType === "float" ? ["const round = Math.fround;"] : ["const round = rounding;"];
  const compiled = compileCode<ElementwiseFunction>(
    ["output", "inputs", "samples", "scalars", "rounding", "unary", "binary"],
    [...arrays, ...rounding, ...code.scalars, loops].join("\n"),
  );
  const round = roundingOf(elementType);
  return (run) => {
    compiled(
      memoryOf(run, output.buffer),
      inputs.map(({ buffer }) => memoryOf(run, buffer)),
      run.samples,
      run.scalars,
      round,
      unaryFunctions,
      binaryFunctions,
    );
  };
};
