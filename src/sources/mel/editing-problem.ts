import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";

/** An error of an editing script, in CNTK's words. */
export function editingProblem(code: string, message: string, span: Span, hint?: string): CntkError {
  return new CntkError({ code, message, span, ...(hint === undefined ? {} : { hint }) });
}

/** Runs `work`; an error that has no place gets that of the command. */
export function placed<T>(span: Span, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CntkError) || error.diagnostic.span) throw error;
    throw new CntkError({ ...error.diagnostic, span });
  }
}
