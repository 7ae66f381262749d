import { type MappedText, parseBoolean } from "../../config/index.js";
import type { CopiedParts } from "../../network/editable-network.js";
import { editingProblem } from "./editing-problem.js";
import { isWord } from "./words.js";

/** `name = value` among the parameters; others have no meaning there and are passed over, as in CNTK. */
interface Option {
  readonly name: string;
  readonly value: MappedText;
  readonly at: MappedText;
}

function optionsOf(parameters: readonly MappedText[]): Option[] {
  return parameters.flatMap((at) => {
    const equals = at.text.indexOf("=");
    if (equals < 0) return [];
    const value = at.slice(equals + 1).trimBlanks();
    const isQuoted = value.length > 1 && value.text.startsWith('"') && value.text.endsWith('"');
    return [
      {
        name: at.text.slice(0, equals).trim(),
        value: isQuoted ? value.slice(1, value.length - 1) : value,
        at,
      },
    ];
  });
}

/** `format = cntk`, or the format of the end of 2015: then true. */
export function isLegacyFormat(parameters: readonly MappedText[]): boolean {
  let legacy = false;
  for (const { name, value, at } of optionsOf(parameters)) {
    if (!isWord(name, "format")) throw unknownOption(name, at, "format=(cntk)");
    if (isWord(value.text, "cntk")) legacy = false;
    else if (isWord(value.text, "cntk_legacy_no_tensorlib")) legacy = true;
    else {
      throw editingProblem(
        "editing-option",
        `Invalid optional parameter value ${value.text}, valid values are: format=(cntk)`,
        at.spanOf(),
      );
    }
  }
  return legacy;
}

/** `includeData = true`. */
export function includesData(parameters: readonly MappedText[]): boolean {
  let includes = false;
  for (const { name, value, at } of optionsOf(parameters)) {
    if (!isWord(name, "includeData")) throw unknownOption(name, at, "includeData=(false|true)");
    includes = parseBoolean(value);
  }
  return includes;
}

/** `copy = all` or `copy = value`. */
export function copiedParts(parameters: readonly MappedText[]): CopiedParts {
  let parts: CopiedParts = "all";
  for (const { name, value, at } of optionsOf(parameters)) {
    if (!isWord(name, "copyFlag", "copy")) throw unknownOption(name, at, "copyFlag=(all|value)");
    if (isWord(value.text, "all")) parts = "all";
    else if (isWord(value.text, "value")) parts = "value";
    else {
      throw editingProblem(
        "editing-option",
        `Invalid optional parameter value ${value.text} in CopyNode(), valid values are copyFlag=(all|value)`,
        at.spanOf(),
      );
    }
  }
  return parts;
}

/** `section = name`. */
export function sectionName(parameters: readonly MappedText[]): string | undefined {
  let section: string | undefined;
  for (const { name, value, at } of optionsOf(parameters)) {
    if (!isWord(name, "section")) throw unknownOption(name, at, "section=(sectionName)");
    section = value.text;
  }
  return section === "" ? undefined : section;
}

function unknownOption(name: string, at: MappedText, valid: string): Error {
  return editingProblem(
    "editing-option",
    `Invalid optional parameter ${name}, valid optional parameters: ${valid}`,
    at.spanOf(),
  );
}
