/** Values → network: what BrainScript needs to know about computation nodes. */
export { buildNetwork, networkProgram, networkTree } from "./build-network.js";
export type { BuildRequest, BuiltNetwork } from "./build-network.js";
export { SeedCounter } from "./seed-counter.js";
export { NetworkValue, NodeValue } from "./values.js";
