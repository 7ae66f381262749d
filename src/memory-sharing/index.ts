/** Who would share memory with whom in CNTK: the list its log shows before a run. Nothing here moves memory of ours. */
export { memoryBlock, memoryGroups } from "./memory-block.js";
export { simulateMemory } from "./memory-requests.js";
export type { MemoryRoots } from "./memory-requests.js";
