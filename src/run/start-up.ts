import { toldThreads } from "./threads.js";
import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { shortenedLines } from "../diagnostics/shown-text.js";
import { buildInfo } from "../log/start-up.js";
import type { Session } from "../session.js";

/** The log between the first lines and the first command: what computes, the configuration, its general settings. */
export function startLines(
  { log, backend, platform, traceLevel }: Session,
  root: ConfigSection,
  commands: readonly string[],
  notes: readonly string[],
): void {
  buildInfo(log, { mathLibrary: backend.description, notes, node: platform.nodeVersion });
  if (traceLevel > 0) {
    log.write("\nConfiguration After Processing and Variable Resolution:\n\n");
    for (const line of root.dumpLines()) log.write(shortenedLines(line));
    log.stamped(`Commands: ${commands.join(" ")}\n`);
    log.stamped(`precision = "${root.string("precision", "float")}"\n`);
  }
  requirePrecision(root);
  threadLines(root, log, platform.cores ?? 1);
}

/** Refuses other words than CNTK's, at the place where CNTK's log shows it: behind the configuration. */
function requirePrecision(root: ConfigSection): void {
  if (root.has("type") && !root.has("precision")) {
    throw new CntkError({
      code: "precision",
      message: "CNTK: Use of 'type' parameter is deprecated, it is called 'precision' now.",
      span: root.keySpan("type"),
    });
  }
  const precision = root.string("precision", "float");
  if (precision === "float" || precision === "double") return;
  throw new CntkError({
    code: "precision",
    message: `CNTK: Invalid precision string: "${precision}", must be "float" or "double"`,
    span: root.keySpan("precision"),
  });
}

function threadLines(root: ConfigSection, log: Session["log"], cores: number): void {
  if (root.boolean("forceDeterministicAlgorithms", false)) {
    // numCPUThreads is not even read then.
    log.stamped(
      "WARNING: forceDeterministicAlgorithms flag is specified. Using 1 CPU thread for processing.\n",
    );
    return;
  }
  const threads = toldThreads(root, cores);
  if (threads !== undefined) log.stamped(`Using ${threads} CPU threads.\n`);
}
