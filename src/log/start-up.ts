import { formatDate, type RunLog } from "./run-log.js";

const dashes = "-".repeat(67) + "\n";

export interface BannerFacts {
  readonly version: string;
  readonly host: string;
  readonly time: Date;
  /** The command line: program, then its words; CNTK joins them by two blanks. */
  readonly words: readonly string[];
}

/** The first lines of every run: who runs, where, when, and the command line. */
export function banner(facts: BannerFacts): string {
  return `cntkts ${facts.version} on ${facts.host} at ${formatDate(facts.time)}\n\n${facts.words.join("  ")}\n`;
}

export interface BuildFacts {
  /** `double reference`, `tfjs wasm`, … and why no better one runs. */
  readonly mathLibrary: string;
  readonly notes: readonly string[];
  readonly node: string;
}

/**
 * The block `Build info`. CNTK describes its build there; cntkts describes what runs: the backend and the reasons for it.
 */
export function buildInfo(log: RunLog, facts: BuildFacts): void {
  log.stamped(dashes);
  log.stamped("Build info: \n\n");
  log.stamped("\t\tBuild type: release\n");
  log.stamped("\t\tBuild target: CPU-only\n");
  log.stamped("\t\tWith 1bit-SGD: no\n");
  log.stamped("\t\tWith ASGD: no\n");
  log.stamped(`\t\tMath lib: ${facts.mathLibrary}\n`);
  for (const note of facts.notes) log.stamped(`\t\tMath lib: ${note}\n`);
  log.stamped(`\t\tBuilt by cntkts for Node ${facts.node}\n`);
  log.stamped(dashes);
}

/** The frame of hashes above each action. */
export function commandHeader(log: RunLog, command: string, action: string): void {
  const bar = "#".repeat(78) + "\n";
  const blank = `#${" ".repeat(76)}#\n`;
  const title = `# ${command} command (${action} action)`;
  log.write("\n");
  log.stamped(bar);
  log.stamped(blank);
  log.stamped(`${title.padEnd(77)}#\n`);
  log.stamped(blank);
  log.stamped(bar + "\n");
}

/** Who takes part in a parallel run. */
interface Processes {
  readonly rank: number;
  readonly size: number;
  readonly singleHost: boolean;
}

/** `parallelTrain = true`: CNTK tells how many processes work together (Common/MPIWrapper.cpp). */
export function parallelGreeting(log: RunLog, { rank, size, singleHost }: Processes): void {
  const pinging = `${size} nodes pinging each other\n`;
  log.write(`ping [requestnodes (before change)]: ${pinging}`);
  log.write(`ping [requestnodes (after change)]: ${pinging}`);
  const hosts = singleHost ? "a single host" : "multiple hosts";
  const nodes = `using ${size} out of ${size} MPI nodes on ${hosts} (${size} requested)`;
  log.write(`requestnodes [MPIWrapperMpi]: ${nodes}; we (${rank}) are in (participating)\n`);
  log.write(`ping [mpihelper]: ${pinging}`);
}

/** The last line of such a run. */
export function parallelFarewell(log: RunLog): void {
  log.write("~MPIWrapperMpi\n");
}
