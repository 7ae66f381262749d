import type { NetworkNode } from "../network/network.js";
import type { OpDefinition, ShapeContext, ShapeResult } from "../network/op-definition.js";
import { at, defineOp, describeShort, memoryInputs, memoryNone, shapeProblem } from "./define-op.js";
import { binaryReduce } from "./shape-rules.js";
import { takesSparse } from "./sparse-data.js";

/*
 * How well a network ranks the items of a query: NDCG as a criterion and as a measure.
 */

const trainingNodes = "Source/ComputationNetworkLib/TrainingNodes.h";
const evaluationNodes = "Source/ComputationNetworkLib/EvaluationNodes.h";

const ranking = {
  inputs: [
    { name: "gain", doc: "How good each item is; sorted within a query, the best first." },
    { name: "score", doc: "What the network thinks." },
    { name: "query", doc: "The number of the query; equal neighbours belong together." },
  ],
  attributes: {},
  nonLooping: true,
} as const;

/** CNTK's words for the inputs that must be plain data. */
type Words = readonly [gain: string, score: null, query: string];

function needsData(node: NetworkNode, word: string): string {
  return `${describeShort(node)} needs input type (no gradient) for ${word} input.`;
}

/** Gains and query numbers must be plain data; that is checked in every pass. */
function rankingShape(context: ShapeContext, words: Words): ShapeResult {
  words.forEach((word, index) => {
    if (word === null || !at(context.inputs, index).needsGradient) return;
    throw shapeProblem(context.node, "shape-mismatch", needsData(context.node, word));
  });
  return binaryReduce(context);
}

const lambdaRank = defineOp({
  ...ranking,
  name: "LambdaRank",
  refusesSparse: takesSparse,
  doc: "100·N·(1 − mean NDCG), trained by the lambda gradients.",
  source: trainingNodes,
  differentiable: "yes",
  gradientDiffers:
    "the scores get LambdaRank's gradients, which are not the derivative of the value, whatever the gradient of the criterion is",
  memory: { ...memoryInputs, forwardTemporaries: 7 },
  shape: (context) => rankingShape(context, ["gain", null, "group"]),
  refusesGradient: (node, index) =>
    index === 1 ? undefined : needsData(node, index === 0 ? "gain" : "group"),
  gradient({ inputs, wants, build }) {
    if (!wants(1)) return [null, null, null];
    const { shape, dynamicAxis } = build.facts(at(inputs, 1));
    return [null, build.primitive("ranking", inputs, { result: "lambdas" }, { shape, dynamicAxis }), null];
  },
  lower: ({ inputs, output, emit }) => emit("ranking", inputs, output, { result: "lambdaRank" }),
});

const ndcg1Eval = defineOp({
  ...ranking,
  name: "NDCG1Eval",
  refusesSparse: takesSparse,
  doc: "100·N·mean NDCG at rank 1.",
  source: evaluationNodes,
  differentiable: "error",
  memory: { ...memoryNone, forwardTemporaries: 4 },
  shape: (context) => rankingShape(context, ["the 1st", null, "the 3rd"]),
  lower: ({ inputs, output, emit }) => emit("ranking", inputs, output, { result: "firstRank" }),
});

export const rankingOperations: readonly OpDefinition[] = [lambdaRank, ndcg1Eval];
