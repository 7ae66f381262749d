import { sourceLoader } from "../../source-loader.js";
import type { NetworkSource } from "../network-source.js";
import { buildNetwork } from "./build-network.js";

function source(key: string): NetworkSource {
  return {
    key,
    async build(section, environment) {
      const { files, library, includeDirectories, elementType, deviceId, traceLevel, seeds, log } =
        environment;
      const text = section.text(key);
      const loader = sourceLoader(files, includeDirectories);
      const readFile = (path: string): string => files.readText(path);
      const precision = elementType;
      return buildNetwork({ text, library, precision, deviceId, traceLevel, loader, seeds, readFile, log })
        .network;
    },
  };
}

/** BrainScript in a command's section, also under the key of its first days. */
export const brainScriptSources: readonly NetworkSource[] = [
  source("BrainScriptNetworkBuilder"),
  source("ExperimentalNetworkBuilder"),
];
