import { selectBackend } from "../backends/select.js";
import { type Communicator, singleProcess } from "../communication/index.js";
import type { ConfigSection } from "../config/config-section.js";
import type { Configuration } from "../config/read-configuration.js";
import type { RunLog } from "../log/run-log.js";
import { SeedCounter } from "../network/seed-counter.js";
import { threadsOf } from "./threads.js";
import { cpuDevice, type Session, type SessionStart } from "../session.js";
import { AxisNames } from "../shapes/index.js";

/** Does a configuration run with `parallelTrain = true`, and with whom? */
export interface ParallelRun {
  readonly isParallel: boolean;
  readonly communicator: Communicator;
}

/**
 * The session of a configuration: its own settings beside what it was begun with. `notes` say why this backend was chosen.
 * @throws CntkError `unknown-backend`, `backend-precision`, and what is wrong with a setting.
 */
export async function openSession(
  start: SessionStart,
  { root, assembled }: Configuration,
  log: RunLog,
  options: { readonly check?: boolean; readonly parallel?: ParallelRun } = {},
): Promise<{ readonly session: Session; readonly notes: readonly string[] }> {
  const { library, errorOutput, output, platform, pictures, readerThreads, signal, onProgress, onRedirect } =
    start;
  const elementType = root.string("precision", "float") === "double" ? "double" : "float";
  const { backend, notes } = await selectBackend({
    requested: start.backendName,
    elementType,
    deviceId: requestedDevice(root),
    team: start.computeTeam?.(threadsOf(root, platform)),
    fused: !root.boolean("forceDeterministicAlgorithms", false),
  });
  const communicator = options.parallel?.communicator ?? singleProcess;
  const session: Session = {
    files: assembled.files,
    library,
    includeDirectories: assembled.includeDirectories,
    errorOutput,
    output,
    platform,
    log,
    elementType,
    traceLevel: root.integer("traceLevel", 0),
    deviceId: cpuDevice,
    seeds: new SeedCounter(root.boolean("forceConstantRandomSeed", false)),
    axisNames: new AxisNames(),
    backend,
    communicator,
    parallelTraining: options.parallel?.isParallel ?? root.boolean("parallelTrain", false),
    pictures,
    readerThreads,
    signal,
    // One progress bar is enough.
    onProgress: communicator.rank === 0 ? onProgress : undefined,
    onRedirect,
    untrained: options.check ? new Map() : undefined,
    findings: options.check ? [] : undefined,
    networks: options.check ? [] : undefined,
  };
  return { session, notes };
}

/** −1 = CPU; `auto` is what the machine has. Words that CNTK's CPU build does not know are the CPU too. */
function requestedDevice(root: ConfigSection): number {
  const text = root.string("deviceId", "auto").toLowerCase();
  if (text === "auto") return cpuDevice;
  return /^-?\d+$/.test(text) ? Number(text) : cpuDevice;
}
