import { plainText } from "../../grammar/index.js";
import { readLibrarySources } from "../../src/node/library.js";
import { SeedCounter, buildNetwork } from "../../src/sources/brainscript/index.js";
import type { BuiltNetwork } from "../../src/sources/brainscript/index.js";

const library = readLibrarySources();

export interface BrainScriptOptions {
  readonly precision?: "float" | "double";
  readonly traceLevel?: number;
  readonly seeds?: SeedCounter;
}

/** A network from the inside of a `BrainScriptNetworkBuilder = { … }`, built with the library. */
export function networkFromBrainScript(members: string, options: BrainScriptOptions = {}): BuiltNetwork {
  return buildNetwork({
    text: plainText({ name: "test.bs", text: `{\n${members}\n}` }),
    library,
    precision: options.precision ?? "double",
    deviceId: -1,
    traceLevel: options.traceLevel ?? 0,
    seeds: options.seeds ?? new SeedCounter(),
    readFile: (path) => {
      throw new Error(`there is no file ${path}`);
    },
  });
}

/** The inside of the first `BrainScriptNetworkBuilder = { … }` (or `[ … ]`) of a configuration. */
export function builderText(config: string): string {
  const start = /BrainScriptNetworkBuilder\s*=\s*([{[(])/.exec(config);
  if (!start) throw new Error("no BrainScriptNetworkBuilder");
  const begin = start.index + start[0].length;
  let depth = 1;
  for (let at = begin; at < config.length; at++) {
    const character = config[at] ?? "";
    if (character === "#") at = config.indexOf("\n", at);
    else if ("{[(".includes(character)) depth++;
    else if ("}])".includes(character) && --depth === 0) return config.slice(begin, at);
  }
  throw new Error("the builder's bracket is not closed");
}
