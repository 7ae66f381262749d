import type { ConfigSection } from "../config/config-section.js";
import type { FileAccess } from "../files/file-access.js";
import { PatientLog } from "../log/patient-log.js";
import type { RunLog } from "../log/run-log.js";
import type { ParallelRun } from "./open-session.js";
import type { SessionStart } from "../session.js";

export interface Redirection {
  readonly root: ConfigSection;
  readonly commands: readonly string[];
  /** The files as seen from the configuration's current directory. */
  readonly files: FileAccess;
  readonly start: SessionStart;
  readonly log: RunLog;
  /** Several processes: each has a log of its own. */
  readonly parallel: ParallelRun;
  /** The first lines, which a log that starts elsewhere repeats with traceLevel 0, as CNTK's does. */
  readonly firstLines: string;
}

/**
 * `stderr=FILE`: the rest of the log goes there; a name that begins with `-` is standard output, as in CNTK. Returns the
 * file that the log is in now, if it is in one.
 */
export function redirectLog(redirection: Redirection): PatientLog | undefined {
  const { root, files, start, log, firstLines } = redirection;
  const given = root.string("stderr", "");
  if (!given) return undefined;
  const path = logPath(given, redirection);
  log.stamped(`Redirecting stderr to file ${path}\n`);
  const file = path.startsWith("-") ? undefined : new PatientLog(files.log(path));
  log.redirect(file ?? start.output);
  start.onRedirect?.(path);
  if (root.integer("traceLevel", 0) === 0) log.write(firstLines);
  return file;
}

/** The first process of several writes where it was told to, the others beside it. */
function logPath(given: string, { commands, log, parallel }: Redirection): string {
  const { isParallel, communicator } = parallel;
  const { rank } = communicator;
  if (log.timestamping) return `${given}_${commands.join("_")}.log${isParallel ? `rank${rank}` : ""}`;
  return rank > 0 ? `${given}.rank${rank}` : given;
}
