import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";

/** Throws for an option of CNTK's that cntkts cannot honour yet: an error is better than a wrong or a missing result. */
export function notAvailable(section: ConfigSection, key: string, what = key, hint?: string): never {
  throw new CntkError({
    code: "not-available",
    message: `${what} is not available yet`,
    span: section.keySpan(key),
    hint,
  });
}

/** CNTK prints the values of these nodes with every minibatch (ComputationNetwork.cpp, EnableNodeTracing). */
export function refuseNodeTracing(section: ConfigSection): void {
  for (const key of ["traceNodeNamesReal", "traceNodeNamesCategory", "traceNodeNamesSparse"]) {
    if (section.array(key, []).length > 0) notAvailable(section, key);
  }
}
