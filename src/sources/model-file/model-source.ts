import { CntkError } from "../../diagnostics/diagnostic.js";
import type { NetworkSource } from "../network-source.js";
import { loadModelFile } from "./load-model.js";
import { networkFromModel } from "./network-from-model.js";

/** A model file as the description of a network: `modelPath` names it. */
export const modelFileSource: NetworkSource = {
  key: "modelPath",
  build(section, { files }) {
    try {
      return Promise.resolve(networkFromModel(loadModelFile({ files }, section.string("modelPath"))));
    } catch (error) {
      if (!(error instanceof CntkError) || error.diagnostic.span) throw error;
      throw new CntkError({ ...error.diagnostic, span: section.keySpan("modelPath") });
    }
  },
};
