import type { NetworkNode } from "../../network/network.js";
import type { Emission } from "./emission.js";

/** Adds a node to the graph and gives the name of its tensor. Throws CntkError `export-operation`. */
export type OperationRule = (node: NetworkNode, emission: Emission) => string;

/** By the name of CNTK's operation. */
export type OperationRules = Readonly<Record<string, OperationRule>>;
