import { formatFixed } from "../numerics/number-format.js";
import { actionByName } from "../actions/registry.js";
import type { ActionResult } from "../actions/action.js";
import type { ConfigSection } from "../config/config-section.js";
import type { LogSink } from "../log/log.js";
import type { RunLog } from "../log/run-log.js";
import { average } from "../log/training-lines.js";
import type { ReadCommand } from "./commands.js";

/**
 * `progressTracing = true`: lines for whoever watches a cluster, in the log and on standard output. CNTK's standard output
 * is a buffer that shows when the program ends; so are these lines (Common/Include/ProgressTracing.h; CNTK.cpp, DoCommands).
 */
export class ProgressTracing {
  private passed = 0;
  private readonly lines: string[] = [];

  private constructor(
    private readonly enabled: boolean,
    /** Epochs of all commands. */
    private readonly total: number,
    private readonly log: RunLog,
  ) {}

  /** Says what the commands are going to do. */
  static async begin(
    commands: readonly ReadCommand[],
    root: ConfigSection,
    log: RunLog,
  ): Promise<ProgressTracing> {
    const enabled = root.boolean("progressTracing", false);
    let total = 0;
    for (const { name, section, actions } of enabled ? commands : []) {
      for (const action of actions) {
        const epochs = (await actionByName(action))?.epochs?.(section);
        if (epochs === undefined) continue;
        total += epochs;
        log.stamped(`CNTKModelPath: ${section.string("modelPath", "")}\n`);
        log.stamped(`CNTKCommandTrainInfo: ${name} : ${epochs}\n`);
      }
    }
    if (enabled) log.stamped(`CNTKCommandTrainInfo: CNTKNoMoreCommands_Total : ${total}\n`);
    return new ProgressTracing(enabled, total, log);
  }

  /** Around an action of a command. */
  async around(
    { name, section }: ReadCommand,
    action: string,
    run: () => Promise<ActionResult>,
  ): Promise<ActionResult> {
    const epochs = this.enabled ? (await actionByName(action))?.epochs?.(section) : undefined;
    if (epochs === undefined) return run();
    this.log.stamped(`CNTKCommandTrainBegin: ${name}\n`);
    const result = await run();
    if (result.lastCriteria && this.total > 0) {
      const percent = (100 * (this.passed + epochs)) / this.total;
      // A training that ends before its first epoch tells of a loss of 0.
      const [criterion] = result.lastCriteria;
      const loss = criterion ? average(criterion) : 0;
      this.lines.push(`PROGRESS: ${formatFixed(percent, 2)}%\n`, `EVALERR: ${formatFixed(loss, 7)}%\n`);
    }
    this.passed += epochs;
    this.log.stamped(`CNTKCommandTrainEnd: ${name}\n`);
    return result;
  }

  /** What standard output shows at the end. */
  finish(output: LogSink): void {
    for (const line of this.lines) output.write(line);
  }
}
