import { CntkError } from "../../src/diagnostics/diagnostic.js";

/** The error of the language that the action ends with; anything else that is thrown stays thrown. */
export function problemOf(action: () => unknown): CntkError {
  try {
    action();
  } catch (error) {
    if (error instanceof CntkError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The same of something that is waited for. */
export async function rejectionOf(action: Promise<unknown>): Promise<CntkError> {
  try {
    await action;
  } catch (error) {
    if (error instanceof CntkError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
