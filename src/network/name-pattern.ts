import { CntkError } from "../diagnostics/diagnostic.js";

/**
 * A regular expression that a configuration gives for whole names of nodes. CNTK's (std::wregex) are ECMAScript's.
 * @throws CntkError `name-pattern` where it is none
 */
export function wholeNamePattern(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`);
  } catch (error) {
    throw new CntkError({
      code: "name-pattern",
      message: `'${text}' is not a regular expression: ${error instanceof Error ? error.message : String(error)}`,
      hint: "regular expressions are ECMAScript's; a whole name has to match, so write .*W for names that end in W",
    });
  }
}
