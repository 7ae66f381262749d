import type { ConfigSection } from "../config/config-section.js";
import { attempted } from "../diagnostics/attempts.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { FileAccess } from "../files/file-access.js";
import type { LogSink } from "../log/log.js";
import { defaultFormat, labelMismatch, labelsOf, type WriteFormat } from "../log/node-values.js";
import { type Conversion, isWithinLimits, readFormat } from "../numerics/printf.js";

/**
 * Reads the `format` section of a write command; absent = six decimals, one sample a line. The labels are read from their
 * file when the function returned is called; lines about labels that do not fit go to `log`.
 * @throws CntkError `write-type` for a type that does not exist, `write-precision` for what is no part of a `printf` format.
 */
export function readWriteFormat(section: ConfigSection, log: LogSink): (files: FileAccess) => WriteFormat {
  const format = section.optionalSection("format");
  if (!format) return () => defaultFormat;
  // Not inherited from outer scopes, and without it labelMappingFile is not even looked at.
  const type = format.hasOwn("type") ? format.string("type") : "real";
  if (type !== "real" && type !== "category" && type !== "sparse") {
    throw new CntkError({
      code: "write-type",
      message: "write: type must be 'real', 'category', or 'sparse'",
      span: format.raw("type")?.spanOf(),
    });
  }
  const labelFile = format.hasOwn("type") ? format.string("labelMappingFile", "") : "";
  const read: WriteFormat = {
    kind: type,
    labels: undefined,
    mismatch: labelMismatch(log),
    transpose: format.boolean("transpose", true),
    prologue: format.textAsItStands("prologue", ""),
    epilogue: format.textAsItStands("epilogue", ""),
    sequenceSeparator: format.textAsItStands("sequenceSeparator", ""),
    sequencePrologue: format.textAsItStands("sequencePrologue", ""),
    sequenceEpilogue: format.textAsItStands("sequenceEpilogue", "\\n"),
    elementSeparator: format.textAsItStands("elementSeparator", " "),
    sampleSeparator: format.textAsItStands("sampleSeparator", "\\n"),
    conversion: precisionFormat(format, type !== "category" ? "f" : labelFile === "" ? "u" : "s"),
  };
  const usesLabels = type !== "real" && labelFile !== "";
  return (files) =>
    usesLabels ? { ...read, labels: labelsOf(attempted(() => files.readText(labelFile))) } : read;
}

function precisionFormat(format: ConfigSection, letter: "f" | "u" | "s"): Conversion {
  const text = format.textAsItStands("precisionFormat", "");
  const conversion = readFormat(text, letter);
  if (conversion && isWithinLimits(conversion)) return conversion;
  throw new CntkError({
    code: "write-precision",
    message: `write: precisionFormat must be flags, width and precision of a number, not '${text}'`,
    span: format.raw("precisionFormat")?.spanOf(),
    hint: 'what stands between % and f in C: ".2", "10.4", "+.3"',
  });
}
