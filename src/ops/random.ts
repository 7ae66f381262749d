import type { OpDefinition } from "../network/op-definition.js";
import { argument, multiply } from "../primitives/expression.js";
import { at, defineOp, memoryNone } from "./define-op.js";
import { emitMap } from "./lowering.js";
import { unaryMap } from "./shape-rules.js";
import { randomEngine } from "./stored-parts.js";
import { refusesMasks } from "./sparse-data.js";

const product = multiply(argument(0), argument(1));

const dropout = defineOp({
  name: "Dropout",
  refusesSparse: refusesMasks,
  doc:
    "In training each element is set to 0 with the probability dropoutRate and multiplied by 1/(1−dropoutRate) otherwise; " +
    "the identity in inference. The random engine bears the node's name.",
  source: "Source/ComputationNetworkLib/TrainingNodes.h",
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: {},
  stored: { fields: randomEngine },
  differentiable: "yes",
  memory: { ...memoryNone, forwardTemporaries: 1 },
  shape: unaryMap,
  companions({ node, mode, build }) {
    if (mode === "inference") return { nodes: [] };
    const x = at(node.inputs, 0);
    const { shape, dynamicAxis } = build.facts(x);
    const parameters = { engine: node.name, rate: "dropoutRate" };
    const result = { shape, dynamicAxis };
    return {
      nodes: [build.primitive("dropoutMask", [x], parameters, result, undefined, `${node.name}.mask`)],
    };
  },
  gradient({ companions, outputGradient, build }) {
    const mask = companions[0];
    return [mask ? build.map(product, [outputGradient, mask]) : outputGradient];
  },
  lower(context) {
    const [input, mask] = [at(context.inputs, 0), context.companions[0]];
    if (mask) emitMap(context, product, [mask, input]);
    else context.emit("copy", [input], context.output, {});
  },
});

// Later: RandomSample, RandomSampleInclusionFrequency.
export const randomOperations: readonly OpDefinition[] = [dropout];
