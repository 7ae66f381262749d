import { CntkError } from "../diagnostics/diagnostic.js";

/** The error for a command line that is not understood. */
export function usageError(message: string, hint?: string): CntkError {
  return new CntkError({ code: "usage", message, hint: hint ?? "cntkts --help lists commands and options" });
}
