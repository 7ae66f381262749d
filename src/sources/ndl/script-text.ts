import { ConfigSection } from "../../config/config-section.js";
import { configurationLines } from "../../config/configuration-lines.js";
import { MappedText } from "../../config/mapped-text.js";
import { attempted } from "../../diagnostics/attempts.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";

/** The text of a description's file, without comments and with the `$x$` of the configuration pasted in. */
export function readScriptFile(path: MappedText, files: FileAccess, section: ConfigSection): MappedText {
  return section.resolve(configurationLines({ name: path.text, text: readText(path, files) }));
}

function readText(path: MappedText, files: FileAccess): string {
  try {
    return attempted(() => files.readText(path.text));
  } catch (error) {
    if (!(error instanceof CntkError) || error.diagnostic.span) throw error;
    throw new CntkError({ ...error.diagnostic, span: path.spanOf() });
  }
}

/**
 * The scripts of a text, in the order in which they are read: the sections that `load` names, then those that `run` names; the
 * whole text where it has neither key. Source: NetworkDescriptionLanguage.h, NDLScript::FileParse.
 */
export function scriptsOf(text: MappedText, name: string): readonly MappedText[] {
  const { result: sections, diagnostics } = ConfigSection.read(text, name);
  const keys = ["load", "run"].filter((key) => sections.has(key));
  if (keys.length === 0) return [inBrackets(text)];
  const first = diagnostics[0];
  if (first) throw new CntkError(first);
  return keys.flatMap((key) => sections.array(key).map((section) => sections.text(section)));
}

function inBrackets(text: MappedText): MappedText {
  const [start, end] = [text.spanOf(0, 0), text.spanOf(text.length, text.length)];
  return MappedText.concat(MappedText.literal("[ ", start), text, MappedText.literal(" ]", end));
}
