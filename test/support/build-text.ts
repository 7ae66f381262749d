import { plainText } from "../../grammar/index.js";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import type { NetworkNode } from "../../src/network/network.js";
import {
  buildNetwork,
  SeedCounter,
  type BuiltNetwork,
  type BuildRequest,
} from "../../src/sources/brainscript/index.js";
import { readLibrarySources } from "../../src/node/library.js";

const library = readLibrarySources();

/** Builds a network from the text of a BrainScriptNetworkBuilder. */
export function buildText(text: string, options: Partial<BuildRequest> = {}): BuiltNetwork {
  return buildNetwork({
    text: plainText({ name: "test.bs", text }),
    library,
    precision: "double",
    deviceId: -1,
    traceLevel: 1,
    seeds: new SeedCounter(),
    readFile: (path) => {
      throw new CntkError({
        code: "file-missing",
        message: `error opening file '${path}': No such file or directory`,
      });
    },
    ...options,
  });
}

/** Names of all nodes, in code-point order. */
export function nodeNames({ network }: BuiltNetwork): string[] {
  return network.nodes.map((node) => node.name).sort();
}

/** The node of that name; a test that asks for another fails. */
export function nodeNamed({ network }: BuiltNetwork, name: string): NetworkNode {
  const node = network.nodes.find((candidate) => candidate.name === name);
  if (!node)
    throw new Error(`no node '${name}' among ${network.nodes.map((other) => other.name).join(", ")}`);
  return node;
}

/** `Times(W, x)` for a node of the network. */
export function operationOf(built: BuiltNetwork, name: string): string {
  const { op, inputs } = nodeNamed(built, name);
  return `${op.name}(${inputs.map((input) => input.name).join(", ")})`;
}

/** The error that building the text ends with. */
export function buildError(text: string, options: Partial<BuildRequest> = {}): CntkError {
  try {
    buildText(text, options);
  } catch (error) {
    if (error instanceof CntkError) return error;
    throw error;
  }
  throw new Error("the text was expected not to build");
}

/** The text that an error points at. */
export function pointedAt(error: CntkError): string {
  const { span } = error.diagnostic;
  return span ? span.source.text.slice(span.start, span.end) : "";
}
