import { CntkError } from "../../diagnostics/diagnostic.js";
import { readModel } from "../../model-files/index.js";
import type { NetworkSource } from "../network-source.js";
import { networkFromModel } from "./network-from-model.js";

/** A model file as the description of a network: `modelPath` names it. */
export const modelFileSource: NetworkSource = {
  key: "modelPath",
  build(section, { files }) {
    const path = section.string("modelPath");
    if (!files.exists(path)) {
      throw new CntkError({
        code: "model-missing",
        message: `error opening file '${path}': No such file or directory`,
        span: section.keySpan("modelPath"),
        hint: "a train command with this modelPath writes it",
      });
    }
    return Promise.resolve(networkFromModel(readModel(files.readBytes(path), path)));
  },
};
