import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { ElementType } from "../numerics/values.js";

/** `precision`. @throws CntkError `reader-option` for another type. */
export function readPrecision(section: ConfigSection): ElementType {
  const precision = section.string("precision", "float");
  const lower = precision.toLowerCase();
  if (lower === "float" || lower === "double") return lower;
  throw new CntkError({
    code: "reader-option",
    message: `Not supported precision '${precision}'. Expected 'double' or 'float'.`,
    span: section.optionalText("precision")?.spanOf() ?? section.span,
  });
}

/** `randomize` of text and binary readers: a boolean; the actions test and write put `None` there. */
export function readRandomize(section: ConfigSection): boolean {
  if (section.string("randomize", "").toLowerCase() === "none") return false;
  return section.boolean("randomize", true);
}
