import type { ConfigSection } from "../config/config-section.js";
import type { CriterionSum } from "../log/training-lines.js";
import type { Session } from "../session.js";

/** One command of a configuration: its section and its name. */
export interface Command {
  readonly name: string;
  readonly section: ConfigSection;
}

/** What an action leaves for programs. */
export interface ActionResult {
  readonly criteria?: readonly CriterionSum[];
  /** Of a training: the criteria on its data in the last epoch. */
  readonly lastCriteria?: readonly CriterionSum[];
}

/**
 * What can stand behind `action =`. To add one: a file here that exports an `Action`, and its name in registry.ts (take it off
 * unavailable.ts). It reads its section into options, gets its network from networks.ts and its stages from pipeline.ts, and
 * prints what CNTK prints through `session.log`. `check` runs through the same refusals and stops before data and files.
 */
export interface Action {
  /** Epochs that the action will run, for `progressTracing`; absent = it does not train. */
  epochs?(section: ConfigSection): number;
  /**
   * Demands what CNTK demands before any command runs (CNTK.cpp, DoCommands): throws CntkError for the first key missing.
   * Everything else an action asks for when it is its turn.
   */
  demand?(section: ConfigSection): void;
  run(session: Session, command: Command): Promise<ActionResult>;
  /**
   * As far as `run` gets without reading data and without writing anything, through the same refusals: options, network,
   * readers, plan. Prints the log up to the network.
   */
  check(session: Session, command: Command): Promise<void>;
}
