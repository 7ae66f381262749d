import type { ConfigSection } from "../config/config-section.js";
import type { FileAccess } from "../files/file-access.js";
import { PatientLog } from "../log/patient-log.js";
import type { RunLog } from "../log/run-log.js";
import type { SessionStart } from "../session.js";

export interface Redirection {
  readonly root: ConfigSection;
  readonly commands: readonly string[];
  /** The files as seen from the configuration's current directory. */
  readonly files: FileAccess;
  readonly start: SessionStart;
  readonly log: RunLog;
  /** The first lines, which a log that starts elsewhere repeats with traceLevel 0, as CNTK's does. */
  readonly firstLines: string;
}

/**
 * `stderr=FILE`: the rest of the log goes there; a name that begins with `-` is standard output, as in CNTK. Returns the
 * file that the log is in now, if it is in one.
 */
export function redirectLog(redirection: Redirection): PatientLog | undefined {
  const { root, commands, files, start, log, firstLines } = redirection;
  const given = root.string("stderr", "");
  if (!given) return undefined;
  const path = log.timestamping ? `${given}_${commands.join("_")}.log` : given;
  log.stamped(`Redirecting stderr to file ${path}\n`);
  const file = path.startsWith("-") ? undefined : new PatientLog(files.log(path));
  log.redirect(file ?? start.output);
  start.onRedirect?.(path);
  if (root.integer("traceLevel", 0) === 0) log.write(firstLines);
  return file;
}
