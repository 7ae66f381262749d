import { attempted } from "../../diagnostics/attempts.js";
import { sourceLoader } from "../../source-loader.js";
import type { NetworkSource } from "../network-source.js";
import { buildNetwork, networkTree } from "./build-network.js";

function source(key: string): NetworkSource {
  return {
    key,
    async build(section, environment) {
      const { files, includeDirectories, elementType: precision, ...rest } = environment;
      const text = section.text(key);
      const loader = sourceLoader(files, includeDirectories);
      const readFile = (path: string): string => attempted(() => files.readText(path));
      return buildNetwork({ ...rest, text, precision, loader, readFile }).network;
    },
    read(section, { files, includeDirectories }) {
      networkTree(section.text(key), sourceLoader(files, includeDirectories));
      return Promise.resolve();
    },
  };
}

/** BrainScript in a command's section, also under the key of its first days. */
export const brainScriptSources: readonly NetworkSource[] = [
  source("BrainScriptNetworkBuilder"),
  source("ExperimentalNetworkBuilder"),
];
