import type { OpDefinition } from "../network/op-definition.js";
import { field, type StoredLayout } from "../network/stored-fields.js";
import { add, argument } from "../primitives/expression.js";
import { at, defineOp, memoryNone } from "./define-op.js";
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
    field("transpose", "boolean", { otherwise: true }),
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
  attributes: (plain, { isCategoryLabel, isSparse }) => ({
    ...plain,
    type: isSparse ? "sparse" : isCategoryLabel ? "category" : "real",
  }),
  toFields: (_plain, { type = "real" }) => ({
    isCategoryLabel: type === "category",
    isSparse: type === "sparse",
  }),
};

/** A member of Trace's `format` record (ComputationNode.cpp, WriteFormattingOptions). */
function formatText(doc: string, text = "") {
  return { kind: "string", within: "format", default: text, doc } as const;
}

const trace = defineOp({
  name: "Trace",
  doc: "Its input, which is printed for the first logFirst minibatches and then for every logFrequency-th.",
  source: "Source/ComputationNetworkLib/SpecialPurposeNodes.cpp",
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: {
    say: { kind: "string", doc: "Words before the value." },
    logFirst: { kind: "integer", doc: "How many minibatches are printed at first." },
    logFrequency: { kind: "integer", doc: "Every how-manyth afterwards." },
    logGradientToo: { kind: "boolean", doc: "Print the gradient as well." },
    onlyUpToRow: { kind: "integer", doc: "Rows that are printed at most." },
    onlyUpToT: { kind: "integer", doc: "Time steps that are printed at most." },
    type: formatText("real, category or sparse.", "real"),
    labelMappingFile: formatText("Names of the categories, one a line."),
    transpose: {
      kind: "boolean",
      within: "format",
      default: true,
      doc: "One sample a line, else one element.",
    },
    prologue: formatText("Before the first minibatch."),
    epilogue: formatText("Not printed."),
    sequenceSeparator: formatText("Between sequences."),
    sequencePrologue: formatText("Before each sequence."),
    sequenceEpilogue: formatText("After each sequence.", "\n"),
    elementSeparator: formatText("Between the elements of a line.", " "),
    sampleSeparator: formatText("Between lines.", "\n"),
    precisionFormat: formatText("What stands between % and the letter of printf's format."),
  },
  stored: storedTrace,
  differentiable: "yes",
  memory: memoryNone,
  shape: unaryMap,
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
