import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { checkReader } from "../readers/index.js";
import type { Session } from "../session.js";

/** The reader section of a command; its trace level is the command's, whatever it says itself (EvalActions.cpp, DoEval). */
export function readerSection(section: ConfigSection): ConfigSection {
  const reader = section.section("reader");
  reader.inject("traceLevel", section.string("traceLevel", "0"));
  return reader;
}

/**
 * For a check: refuses what a run would refuse of a reader's section. A kind of reader that is not available yet is only a
 * finding, since the network can be checked without it.
 */
export async function checkReaderSection(
  { findings }: Pick<Session, "findings">,
  section: ConfigSection,
): Promise<void> {
  try {
    await checkReader(section);
  } catch (error) {
    if (!(error instanceof CntkError) || error.code !== "not-available" || !findings) throw error;
    const message = `${error.diagnostic.message}: a run would stop here`;
    const known = findings.some((finding) => finding.message === message);
    if (!known) findings.push({ ...error.diagnostic, level: "warning", message });
  }
}
