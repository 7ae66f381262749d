import type { ModelFile } from "../model-files/index.js";
import type { DynamicAxis, Network, ShapedNetwork } from "../network/network.js";

/** Where descriptions that build on model files get them from; the session hands it in. */
export interface ModelSource {
  /** The model of a file. Throws CntkError: `model-missing`, `model-precision`, and what is wrong with the file. */
  load(path: string): ModelFile;
}

/**
 * Compiles networks while another one is still being described: a loaded or edited network is compiled when it is
 * constructed, so the shapes of its nodes are known to what the description makes of them.
 */
export interface NetworkCompiler {
  /** The dynamic axis of a network whose construction begins; networks take theirs before what they are made of. */
  newDefaultAxis(): DynamicAxis;
  /**
   * Compiles a network, and logs it as CNTK does. `modelPath` names the file of a network whose nodes were made under their
   * names, not by a description.
   */
  compile(network: Network, modelPath?: string): ShapedNetwork;
}
