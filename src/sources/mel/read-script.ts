import { isOpening } from "../../config/brackets.js";
import { MappedText, readArray, splitEntries } from "../../config/index.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { editingProblem } from "./editing-problem.js";
import { isWord } from "./words.js";

/** One statement of an editing script. */
export type EditingStatement =
  | {
      readonly kind: "command";
      readonly name: MappedText;
      readonly parameters: readonly MappedText[];
      readonly text: MappedText;
    }
  /** `m = [ … ]`: a network in the network description language, as a new model. */
  | { readonly kind: "description"; readonly name: MappedText; readonly text: MappedText }
  /** A statement of the network description language, for the default model. */
  | { readonly kind: "inline"; readonly text: MappedText };

/**
 * The statements of an editing script. A text with a section `edit` has its statements in the sections that this one names;
 * any other is a script itself (ModelEditLanguage.h, FileParse). Throws CntkError `editing-syntax`, and what the rules of
 * configurations refuse.
 */
export function readEditingScript(text: MappedText): EditingStatement[] {
  const entries = entriesOf(text);
  const sections = new Map(entries.flatMap(keyAndValue));
  const edit = sections.get("edit");
  if (!edit) return entries.map((entry) => readStatement(entry.trimBlanks()));
  return readArray(edit).flatMap((name) => {
    const section = sections.get(name.text.toLowerCase());
    if (section) return entriesOf(section).map((entry) => readStatement(entry.trimBlanks()));
    throw editingProblem("editing-syntax", `there is no section '${name.text}'`, name.spanOf());
  });
}

/** An entry `key = value`, by its key in lower case; nothing for other entries. */
function keyAndValue(entry: MappedText): [string, MappedText][] {
  const match = /^\s*([\w.]+)\s*=/.exec(entry.text);
  return match ? [[match[1]!.toLowerCase(), entry.slice(match[0].length).trimBlanks()]] : [];
}

function entriesOf(text: MappedText): readonly MappedText[] {
  const { result, diagnostics } = splitEntries(text, ";");
  const first = diagnostics[0];
  if (first) throw new CntkError(first);
  return result;
}

function readStatement(entry: MappedText): EditingStatement {
  const characters = entry.text;
  let at = 0;
  while (at < characters.length && characters[at] !== "=" && !isOpening(characters, at)) at++;
  if (characters[at] !== "=") return command(entry, entry);
  const name = entry.slice(0, at).trimBlanks();
  const value = entry.slice(at + 1).trimBlanks();
  if (value.length === 0) {
    throw editingProblem("editing-syntax", "Equal at the end of line not allowed", entry.spanOf());
  }
  if (isOpening(value.text, 0)) return { kind: "description", name, text: value };
  const call = /^[^[{("]*/.exec(value.text)?.[0].trim() ?? "";
  const isCall = call.length < value.length;
  if (isCall && isWord(call, "CreateModel")) return command(value, entry, "CreateModelWithName", name);
  if (isCall && isWord(call, "LoadModel")) return command(value, entry, "LoadModelWithName", name);
  return { kind: "inline", text: entry };
}

/** `Name (a, b)`; a model that it is assigned to is its first parameter. */
function command(call: MappedText, text: MappedText, name?: string, first?: MappedText): EditingStatement {
  let at = 0;
  while (at < call.length && !isOpening(call.text, at)) at++;
  if (at === call.length) {
    throw editingProblem(
      "editing-syntax",
      `Invalid line, expecting function call, ${call.text}`,
      call.spanOf(),
      "a statement is Command (parameters), or name = … in the network description language",
    );
  }
  const written = call.slice(0, at).trimBlanks();
  const { result, diagnostics } = splitEntries(call.slice(at), ",");
  const problem = diagnostics[0];
  if (problem) throw new CntkError(problem);
  const parameters = result.map((parameter) => parameter.trimBlanks());
  return {
    kind: "command",
    name: name === undefined ? written : MappedText.literal(name, written.spanOf()),
    parameters: first ? [first, ...parameters] : parameters,
    text,
  };
}
