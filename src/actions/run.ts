import { selectBackend } from "../backends/select.js";
import type { ConfigSection } from "../config/config-section.js";
import { type Configuration, readConfiguration } from "../config/read-configuration.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { renderDiagnostic } from "../diagnostics/render.js";
import type { Source } from "../diagnostics/source.js";
import { shortenedLines } from "../diagnostics/shown-text.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { type FileAccess, writeWhole } from "../files/file-access.js";
import type { LogSink } from "../log/log.js";
import { PatientLog } from "../log/patient-log.js";
import { type Clock, formatDate, RunLog } from "../log/run-log.js";
import { banner, buildInfo, commandHeader } from "../log/start-up.js";
import type { CriterionSum } from "../log/training-lines.js";
import { SeedCounter } from "../network/seed-counter.js";
import type { ElementType } from "../numerics/values.js";
import { AxisNames } from "../shapes/index.js";
import type { ProgressListener } from "../training/progress.js";
import { checkAction } from "./check.js";
import type { CommandContext, RunContext } from "./run-context.js";
import { testAction } from "./test.js";
import { trainAction } from "./train.js";
import { writeAction } from "./write.js";

/** Everything a run takes from its surroundings. */
export interface RunEnvironment {
  readonly files: FileAccess;
  readonly library: readonly Source[];
  /** CNTK logs to stderr; `stderr=FILE` sends the log elsewhere. */
  readonly errorOutput: LogSink;
  readonly output: LogSink;
  readonly version: string;
  readonly host: string;
  readonly nodeVersion: string;
  readonly clock?: Clock;
  /** `--backend NAME`. */
  readonly backend?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
  /** Called when `stderr=` has moved the log, with the file's name. */
  readonly onRedirect?: (path: string) => void;
}

/** What a run leaves for programs. */
export interface RunResult {
  readonly commands: readonly {
    readonly name: string;
    readonly action: string;
    readonly criteria?: readonly CriterionSum[];
  }[];
  /** Name of the backend that ran. */
  readonly backend: string;
}

type Action = (command: CommandContext) => Promise<{ readonly criteria?: readonly CriterionSum[] } | void>;

const actions: Readonly<Record<string, Action>> = {
  train: trainAction,
  trainRNN: trainAction,
  test: testAction,
  eval: testAction,
  write: writeAction,
};

/**
 * Runs a configuration as CNTK's program does: `words` are its command line (`configFile=…`, `key=value`), the log is
 * CNTK's. With `check` every command's network is built and validated, no data is read and nothing is written.
 * Source: Source/CNTK/CNTK.cpp, wmainOldCNTKConfig and DoCommands.
 */
export async function runConfiguration(
  words: readonly string[],
  environment: RunEnvironment,
  check = false,
): Promise<RunResult> {
  const log = new RunLog(environment.errorOutput, environment.clock);
  const start = banner({
    version: environment.version,
    host: environment.host,
    time: log.clock(),
    words: ["cntkts", ...words],
  });
  log.write(start);
  const { result, diagnostics } = readConfiguration(words, environment.files);
  const [problem] = diagnostics;
  if (problem) throw new CntkError(problem);
  const { root, assembled } = result;
  for (const line of assembled.log) log.write(line);
  log.timestamping = root.boolean("timestamping", false);
  const traceLevel = root.integer("traceLevel", 0);
  const commandNames = root.array("command", ["train"]);
  const redirected = check
    ? undefined
    : redirectLog(root, commandNames, assembled.files, environment, log, start, traceLevel);
  try {
    const done = await runCommands(commandNames, result, environment, log, check);
    // The run is complete, models and all, but part of its log is not where it was asked for.
    redirected?.rethrow();
    return done;
  } catch (error) {
    // A log file tells how the run ended, like CNTK's; on the terminal the message is the caller's to print.
    if (redirected && error instanceof CntkError) log.write(`\n${renderDiagnostic(error.diagnostic)}\n`);
    throw error;
  } finally {
    redirected?.close();
  }
}

async function runCommands(
  commandNames: readonly string[],
  { root, assembled }: Configuration,
  environment: RunEnvironment,
  log: RunLog,
  check: boolean,
): Promise<RunResult> {
  const traceLevel = root.integer("traceLevel", 0);
  const precision = root.string("precision", "float");
  const elementType: ElementType = precision === "double" ? "double" : "float";
  const { backend, notes } = await selectBackend({
    requested: environment.backend,
    elementType,
    deviceId: readDeviceId(root),
  });
  buildInfo(log, { mathLibrary: backend.description, notes, node: environment.nodeVersion });
  if (traceLevel > 0) {
    log.write("\nConfiguration After Processing and Variable Resolution:\n\n");
    for (const line of root.dumpLines()) log.write(shortenedLines(line));
    log.stamped(`Commands: ${commandNames.join(" ")}\n`);
    log.stamped(`precision = "${precision}"\n`);
  }
  requirePrecision(root, precision);
  threadLines(root, log);
  const run: RunContext = {
    root,
    files: assembled.files,
    log,
    output: environment.output,
    elementType,
    traceLevel,
    backend,
    library: environment.library,
    includeDirectories: assembled.includeDirectories,
    seeds: new SeedCounter(root.boolean("forceConstantRandomSeed", false)),
    axisNames: new AxisNames(),
    signal: environment.signal,
    onProgress: environment.onProgress,
    untrained: check ? new Map() : undefined,
  };
  const commands = commandNames.map((name) => readCommand(run, name, check));
  progressTracing(commands, root, log);
  const done: RunResult["commands"][number][] = [];
  for (const command of commands) {
    for (const action of command.actions) done.push(await runAction(command.context, action, check));
  }
  finish(root, assembled.files, environment, log, check);
  return { commands: done, backend: backend.name };
}

interface Command {
  readonly context: CommandContext;
  readonly actions: readonly string[];
}

/** A command's section and actions; keys that CNTK demands up front are demanded here. */
function readCommand(run: RunContext, name: string, check: boolean): Command {
  const { root } = run;
  if (!root.has(name)) {
    throw new CntkError({
      code: "command-missing",
      message: `configparameters: required parameter missing: ${root.name}:${name}`,
      span: root.keySpan("command"),
      label: `there is no section '${name}'`,
      hint: didYouMean(name, root.keys()),
    });
  }
  const section = root.section(name);
  const names = section.array("action", ["train"]);
  for (const action of names) {
    if (action.startsWith("train") && !check) {
      section.string("modelPath");
      section.section("SGD").size("maxEpochs");
    }
    if (!check) section.section("reader");
  }
  return { context: { ...run, name, section }, actions: names };
}

async function runAction(
  command: CommandContext,
  action: string,
  check: boolean,
): Promise<RunResult["commands"][number]> {
  const { log, section, name } = command;
  commandHeader(log, name, action);
  if (!Object.hasOwn(actions, action)) {
    throw new CntkError({
      code: "unknown-action",
      message: `unknown action: ${action}  in command set: ${name}`,
      span: section.keySpan("action"),
      hint: didYouMean(action, Object.keys(actions)),
    });
  }
  const run = check ? checkAction : actions[action];
  const result = await run?.(command);
  log.write("\n");
  if (section.integer("traceLevel", 0) > 0) log.stamped(`Action "${action}" complete.\n\n`);
  return { name, action, criteria: result?.criteria };
}

/**
 * `stderr=FILE`: the rest of the log goes there; a name that begins with `-` is standard output, as in CNTK. Returns
 * the file that the log is in now, if it is.
 */
function redirectLog(
  root: ConfigSection,
  commands: readonly string[],
  files: FileAccess,
  environment: RunEnvironment,
  log: RunLog,
  start: string,
  traceLevel: number,
): PatientLog | undefined {
  const given = root.string("stderr", "");
  if (!given) return undefined;
  const path = log.timestamping ? `${given}_${commands.join("_")}.log` : given;
  log.stamped(`Redirecting stderr to file ${path}\n`);
  const file = path.startsWith("-") ? undefined : new PatientLog(files.log(path));
  log.redirect(file ?? environment.output);
  environment.onRedirect?.(path);
  if (traceLevel === 0) log.write(start);
  return file;
}

/** Refuses other words than CNTK's, at the place where CNTK's log shows it: behind the configuration. */
function requirePrecision(root: ConfigSection, precision: string): void {
  if (root.has("type") && !root.has("precision")) {
    throw new CntkError({
      code: "precision",
      message: "CNTK: Use of 'type' parameter is deprecated, it is called 'precision' now.",
      span: root.keySpan("type"),
    });
  }
  if (precision === "float" || precision === "double") return;
  throw new CntkError({
    code: "precision",
    message: `CNTK: Invalid precision string: "${precision}", must be "float" or "double"`,
    span: root.keySpan("precision"),
  });
}

/** −1 = CPU; `auto` is what the machine has. Words that CNTK's CPU build does not know are the CPU too. */
function readDeviceId(root: ConfigSection): number {
  const text = root.string("deviceId", "auto").toLowerCase();
  if (text === "auto") return -1;
  return /^-?\d+$/.test(text) ? Number(text) : -1;
}

function threadLines(root: ConfigSection, log: RunLog): void {
  const threads = root.integer("numCPUThreads", 0);
  if (root.boolean("forceDeterministicAlgorithms", false)) {
    log.stamped(
      "WARNING: forceDeterministicAlgorithms flag is specified. Using 1 CPU thread for processing.\n",
    );
  } else if (threads > 0) {
    log.stamped(`Using ${threads} CPU threads.\n`);
  }
}

function progressTracing(commands: readonly Command[], root: ConfigSection, log: RunLog): void {
  if (!root.boolean("progressTracing", false)) return;
  log.stamped(`CNTKModelPath: ${root.string("modelPath", "")}\n`);
  let total = 0;
  for (const { context, actions: names } of commands) {
    if (!names.some((action) => action.startsWith("train"))) continue;
    const epochs = context.section.section("SGD").size("maxEpochs");
    total += epochs;
    log.stamped(`CNTKCommandTrainInfo: ${context.name} : ${epochs}\n`);
  }
  log.stamped(`CNTKCommandTrainInfo: CNTKNoMoreCommands_Total : ${total}\n`);
}

function finish(
  root: ConfigSection,
  files: FileAccess,
  environment: RunEnvironment,
  log: RunLog,
  check: boolean,
): void {
  const doneFile = root.string("doneFile", "");
  if (doneFile && !check) {
    const text = `Successfully finished at ${formatDate(log.clock())} on ${environment.host}\n`;
    writeWhole(files, doneFile, (file) => file.write(text));
  }
  if (log.timestamping) log.stamped("__COMPLETED__\n");
  else log.write("COMPLETED.\n");
}
