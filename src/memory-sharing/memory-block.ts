import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { formatShape } from "../network/network.js";
import { compareNames } from "../network/node-order.js";
import type { MemoryRoots } from "./memory-requests.js";
import { simulateMemory } from "./memory-requests.js";

/**
 * CNTK's block about who shares memory: `Allocating matrices …`, the counts and both lists. CNTK prints the groups in the
 * order of heap addresses; here they come in the order of their first entry's name.
 * Source: ComputationNetworkEvaluation.cpp, AllocateAllMatrices; ComputationNetwork.cpp, PrintMemorySharingStructure.
 */
export function memoryBlock(shaped: ShapedNetwork, roots: MemoryRoots): string {
  const groups = memoryGroups(shaped, roots);
  const shared = groups.filter((group) => group.length > 1);
  const single = groups.filter((group) => group.length === 1);
  const matrices = groups.reduce((sum, group) => sum + group.length, 0);
  return [
    "\n\nAllocating matrices for forward and/or backward propagation.\n",
    `\nMemory Sharing: Out of ${matrices} matrices, ${matrices - single.length} are shared as ${shared.length}, `,
    `and ${single.length} are not shared.\n`,
    "\nHere are the ones that share memory:\n",
    ...shared.map((group) => `\t{ ${group.join("\n\t  ")} }\n`),
    "\nHere are the ones that don't share memory:\n",
    ...single.map((group) => `\t{${group.join("")}}\n`),
    "\n",
  ].join("");
}

/** The groups of values and gradients that share a matrix, as the block prints them: `z : [10 x *] (gradient)`. */
export function memoryGroups(shaped: ShapedNetwork, roots: MemoryRoots): string[][] {
  const { valueOf, gradientOf } = simulateMemory(shaped, roots);
  const groups = new Map<string, string[]>();
  const add = (matrix: string, entry: string) => {
    const group = groups.get(matrix);
    if (group) group.push(entry);
    else groups.set(matrix, [entry]);
  };
  for (const node of shaped.network.nodes) {
    const entry = describeEntry(shaped, node);
    add(valueOf(node), entry);
    const gradient = gradientOf(node);
    if (gradient !== undefined) add(gradient, `${entry} (gradient)`);
  }
  const sorted = [...groups.values()].map((group) => group.sort(compareNames));
  return sorted.sort((a, b) => compareNames(a[0] ?? "", b[0] ?? ""));
}

function describeEntry(shaped: ShapedNetwork, node: NetworkNode): string {
  const facts = shaped.facts.get(node);
  return `${node.name} : ${formatShape(facts?.shape ?? [], facts?.dynamicAxis)}`;
}
