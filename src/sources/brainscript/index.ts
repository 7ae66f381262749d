/** BrainScript → network: what its values need to know about computation nodes. */
export { brainScriptSources } from "./brainscript-source.js";
export { buildNetwork, networkFromTree, networkProgram, networkTree } from "./build-network.js";
export type { BuildRequest, BuiltNetwork } from "./build-network.js";
export { SeedCounter } from "../../network/seed-counter.js";
export { NetworkValue, NodeValue } from "./values.js";
