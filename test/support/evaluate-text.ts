import { readFileSync } from "node:fs";
import { parseBrainScript, plainText, type Program } from "../../grammar/index.js";
import { CntkError } from "../../src/diagnostics/index.js";
import {
  evaluateProgram,
  isArray,
  type Host,
  type RecordValue,
  type Value,
} from "../../src/evaluator/index.js";

const languageFile = new URL("../../src/library/language.bs", import.meta.url);

// What the library's namespace.bs defines of it, without the network functions beside it.
const namespaceText =
  "BS = [ Constants = [ None = [||] ; IsNone (x) = IsSameObject (x, None) ] ]  None = BS.Constants.None";

/** Parses text that must be right. The first mistake is thrown. */
export function parseText(text: string, name = "test.bs"): Program {
  const { result, diagnostics } = parseBrainScript(plainText({ name, text }));
  if (result) return result;
  const [first] = diagnostics;
  throw first ? new CntkError(first) : new Error("no result and no diagnostic");
}

/** The root record of a program on top of the language part of the library; printed lines go to `printed`. */
export function evaluateText(text: string, printed: string[] = [], host: Partial<Host> = {}): RecordValue {
  const complete: Host = { classes: new Map(), print: (line) => void printed.push(line), ...host };
  const library = parseText(`${readFileSync(languageFile, "utf8")}\n${namespaceText}`, "language.bs");
  return evaluateProgram(parseText(text), complete, evaluateProgram(library, complete));
}

/** What a program prints when its member `do` is evaluated. */
export function run(text: string, host: Partial<Host> = {}): string {
  const printed: string[] = [];
  const member = evaluateText(text, printed, host).own("do");
  if (!member) throw new Error("the program has no member `do`");
  member.force();
  return printed.join("\n");
}

/** The elements of a value, those of nested arrays included, or the value itself if it is no array; all of them evaluated. */
export function arrayItems(value: Value): Value[] {
  return isArray(value) ? value.elements.flatMap((element) => arrayItems(element.force())) : [value];
}
