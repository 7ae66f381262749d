import { MappedText } from "../../config/mapped-text.js";
import type { FunctionCall } from "./function-call.js";
import type { ScriptFunction } from "./functions.js";
import { scriptProblem } from "./read-statement.js";
import { ScriptNode } from "./script-node.js";

/** BatchNormalization: its sixth input, the number of samples seen, is made where it is not given. */
const batchNormalization: ScriptFunction = {
  check(call) {
    if (call.positional.length >= 5) return;
    throw call.problem(
      "BatchNormalization should have 5 fixed parameters[inputValueNodeName, scale, bias, runMean, runVariance].",
    );
  },
  sizesFrom: 5,
  make(call) {
    const node = call.node("BatchNormalization", {
      spatial: call.booleanOption("spatial", false),
      normalizationTimeConstant: call.numberOption("normalizationTimeConstant", 0),
      blendTimeConstant: call.numberOption("blendTimeConstant", 0),
      epsilon: call.numberOption("epsilon", 0.00001),
      useCntkEngine: usesCntkEngine(call),
      imageLayout: call.imageLayout("CHW"),
    });
    if (call.positional.length === 5) addRunCount(call);
    return node;
  },
  inputs: ({ script }) => script.positional.slice(0, 6),
};

function usesCntkEngine(call: FunctionCall): boolean {
  const text = call.option("engine");
  const word = text?.text.toLowerCase() ?? "cntk";
  if (word === "cntk" || word === "cudnn") return word === "cntk";
  throw scriptProblem(
    "script-arguments",
    'Unsupported batch normalization engine, choose either "cntk"(default) or "cudnn".',
    text?.spanOf() ?? call.span,
  );
}

function addRunCount(call: FunctionCall): void {
  const { parent, span, args } = call.script;
  const count = new ScriptNode("runCount", "constant", MappedText.literal("0", span), parent, span);
  const zero = { shape: [1], learningRateMultiplier: 0, init: "fromValue", initValue: 0, value: 0 };
  count.node = call.node("LearnableParameter", zero, `${call.name}.run_sample_count`);
  args.push(count);
}

export const normalizationFunctions: Readonly<Record<string, ScriptFunction>> = {
  BatchNormalization: batchNormalization,
};
