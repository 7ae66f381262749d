import type { Action, ActionResult, Command } from "../actions/action.js";
import { requireAction } from "../actions/registry.js";
import { singleProcess } from "../communication/index.js";
import type { ConfigSection } from "../config/config-section.js";
import type { Configuration } from "../config/read-configuration.js";
import { once } from "../diagnostics/attempts.js";
import { CntkError, type Diagnostic } from "../diagnostics/diagnostic.js";
import { renderDiagnostic } from "../diagnostics/render.js";
import { writeWhole } from "../files/file-access.js";
import { formatDate, RunLog } from "../log/run-log.js";
import { banner, commandHeader, parallelFarewell, parallelGreeting } from "../log/start-up.js";
import type { ShapedNetwork } from "../network/network.js";
import { type NetworkSummary, summarizeNetwork } from "../network/summary.js";
import { readConfiguration } from "../pipeline.js";
import type { Session, SessionStart } from "../session.js";
import { demandKeys, type ReadCommand, readCommands } from "./commands.js";
import { ProgressTracing } from "./progress-tracing.js";
import { openSession, type ParallelRun } from "./open-session.js";
import { redirectLog } from "./redirect.js";
import { startLines } from "./start-up.js";
import { unknownKeys } from "./unknown-keys.js";

export { printSummary, type LayerSummary, type NetworkSummary } from "../network/summary.js";

/** What a run leaves for programs. */
export interface RunResult {
  readonly commands: readonly ({ readonly name: string; readonly action: string } & ActionResult)[];
  /** Name of the backend that ran. */
  readonly backend: string;
  /** What a check found besides errors. */
  readonly warnings: readonly Diagnostic[];
  /** The networks that a check described or loaded, with the names of their commands. */
  readonly networks: readonly { readonly command: string; readonly summary: NetworkSummary }[];
}

/**
 * Runs a configuration as CNTK's program does: `words` are its command line (`configFile=…`, `key=value`), the log is
 * CNTK's. With `check` every command goes as far as it can without reading data and writing anything.
 * Source: Source/CNTK/CNTK.cpp, wmainOldCNTKConfig and DoCommands.
 */
export async function runConfiguration(
  words: readonly string[],
  start: SessionStart,
  check = false,
): Promise<RunResult> {
  const log = new RunLog(start.errorOutput, start.clock);
  const { version, host } = start.platform;
  const firstLines = banner({ version, host, time: log.clock(), words: ["cntkts", ...words] });
  log.write(firstLines);
  const { result, diagnostics } = orTell(log, () => readConfiguration(words, start.files));
  const [problem, ...others] = diagnostics;
  if (problem) throw CntkError.ofAll([problem, ...others]);
  const { root, assembled } = result;
  for (const line of assembled.log) log.write(line);
  log.timestamping = root.boolean("timestamping", false);
  const commands = root.array("command", ["train"]);
  const parallel = joinProcesses(root, start, check);
  if (parallel.isParallel) parallelGreeting(log, parallel.communicator);
  requireKnownValues(root);
  const redirection = { root, commands, files: assembled.files, start, log, firstLines, parallel };
  const redirected = check ? undefined : orTell(log, () => redirectLog(redirection));
  try {
    const done = await runCommands(commands, result, { start, log, check, parallel });
    // The run is complete, models and all, but part of its log is not where it was asked for.
    redirected?.rethrow();
    return done;
  } catch (error) {
    tellOf(error, log);
    if (parallel.isParallel) parallelFarewell(log);
    // A log file tells how the run ended, like CNTK's; on the terminal the message is the caller's to print.
    if (redirected && error instanceof CntkError) log.write(`\n${renderDiagnostic(error.diagnostic)}\n`);
    throw error;
  } finally {
    redirected?.close();
  }
}

/** What goes wrong before the first command leaves CNTK's lines in the log, too. */
function orTell<T>(log: RunLog, run: () => T): T {
  try {
    return run();
  } catch (error) {
    tellOf(error, log);
    throw error;
  }
}

/** Writes what CNTK's log has of a mistake that ends the run, beside its message. */
function tellOf(error: unknown, log: RunLog): void {
  if (error instanceof CntkError && error.diagnostic.logged) log.write(`${error.diagnostic.logged}\n`);
  log.endLine();
}

/** Options that change nothing here, but whose values CNTK reads before it begins. */
function requireKnownValues(root: ConfigSection): void {
  root.integer("traceLevel", 0);
  for (const key of ["shareNodeValueMatrices", "optimizeGradientAccumulation"]) root.boolean(key, true);
  root.integer("traceGPUMemoryAllocations", 0);
}

/** What a run of commands works with. */
interface Run {
  readonly start: SessionStart;
  readonly log: RunLog;
  readonly check: boolean;
  readonly parallel: ParallelRun;
}

/**
 * The processes of a run: under a launcher that has started several, parallelTrain is true by default. A check needs nobody.
 * @throws CntkError `mpi-missing`.
 */
function joinProcesses(root: ConfigSection, { processes }: SessionStart, check: boolean): ParallelRun {
  const several = processes !== undefined && processes.count > 1;
  const isParallel = root.boolean("parallelTrain", several);
  return { isParallel, communicator: isParallel && several && !check ? processes.open() : singleProcess };
}

async function runCommands(
  names: readonly string[],
  configuration: Configuration,
  { start, log, check, parallel }: Run,
): Promise<RunResult> {
  const { root } = configuration;
  const { session, notes } = await openSession(start, configuration, log, { check, parallel });
  startLines(session, root, names, notes);
  const commands = readCommands(root, names);
  if (!check) await demandKeys(root, commands);
  const tracing = check ? undefined : await ProgressTracing.begin(commands, root, log);
  const done: RunResult["commands"][number][] = [];
  const networks: RunResult["networks"][number][] = [];
  for (const command of commands) {
    for (const action of command.actions) {
      const showsNetworks = check && !showsLater(commands, command);
      const result = await runAction({ ...session, showsNetworks }, command, action, tracing);
      const described = session.networks?.splice(0) ?? [];
      session.findings?.push(...described.flatMap(misspeltNames));
      for (const shaped of described)
        networks.push({ command: command.name, summary: summarizeNetwork(shaped) });
      done.push({ name: command.name, action, ...result });
    }
  }
  session.findings?.push(...unknownKeys(root, commands, configuration.assembled.text.text));
  const doneFile = root.string("doneFile", "");
  if (doneFile && !check && session.communicator.rank === 0) writeDoneFile(session, doneFile);
  if (log.timestamping) log.stamped("__COMPLETED__\n");
  else log.write("COMPLETED.\n");
  if (session.parallelTraining) parallelFarewell(log);
  await session.communicator.close();
  tracing?.finish(session.output);
  return { commands: done, backend: session.backend.name, warnings: session.findings ?? [], networks };
}

/** Actions that all processes of a parallel run carry out; the first one alone does the others (CNTK.cpp, DoCommands). */
const forAllProcesses = new Set(["train", "trainRNN", "adapt", "test", "eval", "cv", "devtest", "bnstat"]);

async function runAction(
  session: Session,
  command: ReadCommand,
  name: string,
  /** Absent in a check. */
  tracing: ProgressTracing | undefined,
): Promise<ActionResult> {
  const { log } = session;
  commandHeader(log, command.name, name);
  const action = await requireAction(name, command);
  const { rank } = session.communicator;
  const runs = rank === 0 || forAllProcesses.has(name);
  let result: ActionResult = {};
  if (!tracing) await checkAction(session, command, { action, name });
  else if (runs) result = await tracing.around(command, name, () => action.run(session, command));
  log.write("\n");
  if (command.section.integer("traceLevel", 0) > 0) log.stamped(`Action "${name}" complete.\n\n`);
  await session.communicator.barrier();
  return result;
}

/** Actions that show the network which they load. */
const showing = ["test", "eval", "write", "cv"];

/** Does one of the commands behind this one show a network? */
function showsLater(commands: readonly ReadCommand[], command: ReadCommand): boolean {
  const later = commands.slice(commands.indexOf(command) + 1);
  return later.some(({ actions }) => actions.some((action) => showing.includes(action)));
}

/** Lists of nodes under a name that is nearly one of CNTK's: no group gets them. */
function misspeltNames({ network }: ShapedNetwork): Diagnostic[] {
  return (network.misspelt ?? []).map(({ name, meant, span }) => ({
    code: "unknown-key",
    level: "warning",
    message: `'${name}' lists nodes, but is none of the names that put them into a group: it has no effect`,
    span,
    hint: `did you mean '${meant}'?`,
  }));
}

/** A model that is not there yet, which another run may write, is only a finding: the other commands can be checked. */
async function checkAction(
  session: Session,
  command: Command,
  { action, name }: { readonly action: Action; readonly name: string },
): Promise<void> {
  try {
    await action.check(session, command);
  } catch (error) {
    if (!(error instanceof CntkError) || error.code !== "model-missing") throw error;
    if (!session.findings || !showing.includes(name)) throw error;
    const message = `${error.diagnostic.message}: a run would stop here`;
    session.findings.push({ ...error.diagnostic, level: "warning", message });
  }
}

function writeDoneFile({ files, log, platform }: Session, path: string): void {
  const text = `Successfully finished at ${formatDate(log.clock())} on ${platform.host}\n`;
  once(() => {
    const folder = dirname(path);
    if (folder !== "" && !files.isDirectory(folder)) {
      const message = `error opening file '${path}': No such file or directory`;
      throw new CntkError({ code: "file-unwritable", message, hint: `there is no folder '${folder}'` });
    }
    writeWhole(files, path, (file) => file.write(text));
  });
}

/** The folder that a path names; empty = the current one. */
function dirname(path: string): string {
  return /^(.*[/\\])[^/\\]*$/.exec(path)?.[1] ?? "";
}
