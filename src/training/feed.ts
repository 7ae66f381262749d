import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { type FedInput, type FedMinibatch, feed, type Minibatch, realSamples } from "../minibatch/index.js";
import type { NetworkNode, NodeFacts, ShapedNetwork } from "../network/network.js";
import { inputsBelow } from "../network/node-order.js";
import { elementCount } from "../network/network.js";
import type { Reader } from "../readers/reader.js";
import { withPlace } from "./located-failures.js";

export { realSamples };

/**
 * Checks that a reader offers every input of a network.
 * @throws CntkError naming the input and what the reader has (Readers/ReaderLib/ReaderShim.cpp).
 */
export function checkStreams(inputs: readonly NetworkNode[], { streams }: Pick<Reader, "streams">): void {
  for (const input of inputs) {
    const stream = streams.find((candidate) => candidate.name === input.name);
    const names = streams.map((candidate) => candidate.name);
    if (!stream) {
      throw new CntkError({
        code: "input-missing",
        message: `Could not map input '${input.name}' to the reader. Reader outputs only [${names.map((name) => `"${name}"`).join(", ")}].`,
        span: input.origin,
        calls: [
          ...(input.calls ?? []).map((span) => ({ span, label: "in the call" })),
          ...(input.renamed ? [{ span: input.renamed.span, label: `'${input.name}' gets its name` }] : []),
        ],
        hint: input.renamed
          ? `'${input.renamed.from}' and '${input.name}' are one node, and the last of its names counts: use ${input.renamed.from} itself`
          : (didYouMean(input.name, names) ??
            `the reader delivers what its input = [ … ] lists: '${input.name}' belongs there if it is needed`),
      });
    }
  }
}

/**
 * Checks that streams have samples of the inputs' size, which CNTK notices when the first minibatch is there.
 * @throws CntkError `input-dimension`
 */
export function requireDimensions(
  inputs: readonly NetworkNode[],
  facts: ReadonlyMap<NetworkNode, NodeFacts>,
  streams: { get(name: string): { readonly dimension: number } | undefined },
): void {
  for (const input of inputs) {
    const elements = elementCount(facts.get(input)?.shape ?? []);
    const { dimension = elements } = streams.get(input.name) ?? {};
    if (dimension === elements) continue;
    throw new CntkError({
      code: "input-dimension",
      message: `Input '${input.name}' has ${elements} elements per sample in the network, but the reader's stream has dim = ${dimension}.`,
      span: input.origin,
      calls: (input.calls ?? []).map((span) => ({ span, label: "in the call" })),
      label: `${elements} elements`,
    });
  }
}

/** The inputs that a training asks of its reader, and those of them that are fed: CNTK asks for all feature and label nodes, used or not, even those that are no inputs. */
export function inputsOfTraining(
  { network }: ShapedNetwork,
  roots: readonly NetworkNode[],
): { readonly all: readonly NetworkNode[]; readonly used: readonly NetworkNode[] } {
  const { feature, label } = network.groups;
  const below = roots.flatMap((node) => (node.op.role === "precompute" ? node.inputs : [node]));
  const asked = [...feature, ...label].filter(({ op }) => op.role !== "input");
  return { all: [...inputsBelow([...below, ...feature, ...label]), ...asked], used: inputsBelow(below) };
}

/**
 * Turns a reader's minibatch into what a backend takes for these inputs: gaps stay, sparse data stays sparse.
 * @throws CntkError `input-dimension`
 */
export function feedNetwork(
  minibatch: Minibatch,
  inputs: readonly NetworkNode[],
  facts: ReadonlyMap<NetworkNode, NodeFacts>,
): FedMinibatch {
  requireDimensions(inputs, facts, minibatch.streams);
  const fed = inputs.map((input): FedInput => {
    const { shape = [], dynamicAxis, storage } = facts.get(input) ?? {};
    return {
      name: input.name,
      axisName: dynamicAxis?.axisName ?? "",
      dimension: elementCount(shape),
      storage: storage === "sparse" ? "sparse" : "dense",
    };
  });
  try {
    return feed(minibatch, fed);
  } catch (error) {
    throw withPlace(error, inputs);
  }
}
