import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { checkReader } from "../readers/index.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import type { StreamDescription } from "../readers/reader.js";
import type { Session } from "../session.js";
import { checkStreams, requireDimensions } from "../training/feed.js";

/** The reader section of a command; its trace level is the command's, whatever it says itself (EvalActions.cpp, DoEval). */
export function readerSection(section: ConfigSection): ConfigSection {
  const reader = section.section("reader");
  reader.inject("traceLevel", section.string("traceLevel", "0"));
  return reader;
}

type Streams = readonly StreamDescription[] | undefined;

/** For a check: refuses inputs that the reader does not feed, as far as its section says what it delivers. */
export function checkInputs(
  inputs: readonly NetworkNode[],
  { facts }: ShapedNetwork,
  streams: Streams,
): void {
  if (!streams) return;
  checkStreams(inputs, { streams });
  requireDimensions(inputs, facts, new Map(streams.map((stream) => [stream.name, stream])));
}

/**
 * For a check: refuses what a run would refuse of a reader's section. A kind of reader that is not available yet is only a
 * finding, since the network can be checked without it. Returns what the reader will deliver, where the section says so.
 */
export async function checkReaderSection(
  { findings }: Pick<Session, "findings">,
  section: ConfigSection,
): Promise<Streams> {
  try {
    return await checkReader(section);
  } catch (error) {
    if (!(error instanceof CntkError) || error.code !== "not-available" || !findings) throw error;
    const message = `${error.diagnostic.message}: a run would stop here`;
    const known = findings.some((finding) => finding.message === message);
    if (!known) findings.push({ ...error.diagnostic, level: "warning", message });
    return undefined;
  }
}
