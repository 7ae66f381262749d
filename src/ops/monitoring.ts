import type { OpDefinition } from "../network/op-definition.js";
import { field, type StoredLayout } from "../network/stored-fields.js";
import { add, argument } from "../primitives/expression.js";
import { at, defineOp, describe, memoryNone } from "./define-op.js";
import { runningAverage } from "./running-average.js";
import { unaryMap } from "./shape-rules.js";

/*
 * Nodes for looking on: printing a value, averaging one over an epoch.
 */

const storedTrace: StoredLayout = {
  fields: [
    field("message", "wideText", { attribute: "say", otherwise: "" }),
    field("logFirst", "unsigned8", { wide: true, unlimited: true, otherwise: 0 }),
    field("logFrequency", "unsigned8", { wide: true, unlimited: true, otherwise: 0 }),
    field("logGradientToo", "boolean", { otherwise: false }),
    field("isCategoryLabel", "boolean", { otherwise: false }),
    field("labelMappingFile", "wideText", { otherwise: "" }),
    field("isSparse", "boolean", { otherwise: false }),
    field("transpose", "boolean", { otherwise: false }),
    ...[
      "prologue",
      "epilogue",
      "sequenceSeparator",
      "sequencePrologue",
      "sequenceEpilogue",
      "elementSeparator",
      "sampleSeparator",
      "precisionFormat",
    ].map((name) => field(name, "narrowText", { otherwise: "" })),
    field("onlyUpToRow", "unsigned8", { wide: true, unlimited: true, otherwise: 2n ** 64n - 1n }),
    field("onlyUpToT", "unsigned8", { wide: true, unlimited: true, otherwise: 2n ** 64n - 1n }),
  ],
};

const trace = defineOp({
  name: "Trace",
  doc: "Its input. CNTK prints it for the first logFirst minibatches and then for every logFrequency-th; here a warning says that it is not.",
  source: "Source/ComputationNetworkLib/SpecialPurposeNodes.cpp",
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: {
    say: { kind: "string", doc: "Words before the value." },
    logFirst: { kind: "integer", doc: "How many minibatches are printed at first." },
    logFrequency: { kind: "integer", doc: "Every how-manyth afterwards." },
    logGradientToo: { kind: "boolean", doc: "Print the gradient as well." },
    onlyUpToRow: { kind: "integer", doc: "Rows that are printed at most." },
    onlyUpToT: { kind: "integer", doc: "Time steps that are printed at most." },
  },
  stored: storedTrace,
  differentiable: "yes",
  memory: memoryNone,
  shape(context) {
    if (context.isFinalPass) {
      context.message(
        `WARNING: ${describe(context.node)}: printing values while a network runs is not available yet; they pass through unseen.\n`,
        "always",
      );
    }
    return unaryMap(context);
  },
  gradient: ({ outputGradient }) => [outputGradient],
  lower: ({ inputs, output, emit }) => emit("copy", [at(inputs, 0)], output, {}),
});

const epochAccumulator = defineOp({
  name: "EpochAccumulator",
  doc: "Mean of its input over the samples of the epoch so far. Where a minibatch is computed in pieces, what is made of it is added up over the pieces, as in CNTK.",
  source: "Source/ComputationNetworkLib/LinearAlgebraNodes.cpp",
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: {},
  nonLooping: true,
  differentiable: "error",
  memory: memoryNone,
  shape: (context) => ({ shape: at(context.inputs, 0).shape, dynamicAxis: null }),
  refusesGradient: (node) => `${node.op.name} operation is used for forward only.`,
  // It starts anew with each epoch and each evaluation (training/accumulated-results.ts).
  companions({ node, build }) {
    const x = at(node.inputs, 0);
    const { shape } = build.facts(node);
    const average = build.state(`${node.name}.average`, shape);
    const count = build.state(`${node.name}.sampleCount`, [1]);
    const added = build.count(x, "samples");
    const total = build.map(add(argument(0), argument(1)), [count, added]);
    const updated = runningAverage(build, { average, count, total }, build.reduceTo(x, shape, null));
    return {
      nodes: [updated],
      assignments: [
        { state: average, value: updated },
        { state: count, value: total },
      ],
    };
  },
  lower: ({ companions, output, emit }) => emit("copy", [at(companions, 0)], output, {}),
});

export const monitoringOperations: readonly OpDefinition[] = [trace, epochAccumulator];
