import type { ConfigSection } from "../config/config-section.js";
import type { Platform } from "../session.js";

/**
 * With how many threads a configuration computes: `numCPUThreads`, at most one a core; below 0 so many less than there are cores;
 * 0 or absent all cores, shared by the processes of the run that are on this machine (CPUMatrix::SetNumThreads).
 */
export function threadsOf(root: ConfigSection, { cores = 1, processesHere = 1 }: Platform): number {
  if (root.boolean("forceDeterministicAlgorithms", false)) return 1;
  return toldThreads(root, cores) ?? Math.max(1, Math.floor(cores / processesHere));
}

/** What `numCPUThreads` says; undefined if nothing. */
export function toldThreads(root: ConfigSection, cores: number): number | undefined {
  const told = root.integer("numCPUThreads", 0);
  if (told === 0) return undefined;
  return Math.min(cores, told < 0 ? Math.max(1, cores + told) : told);
}
