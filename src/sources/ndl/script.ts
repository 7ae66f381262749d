import { readArray } from "../../config/config-section.js";
import { isNumber } from "../../config/conversions.js";
import { MappedText } from "../../config/mapped-text.js";
import { isOpening } from "../../config/brackets.js";
import { splitEntries } from "../../config/split-entries.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";
import { didYouMean } from "../../diagnostics/suggest.js";
import { functionName, functionNames } from "./function-names.js";
import { formalParameters, readHeader, readStatement, scriptProblem } from "./read-statement.js";
import type { ScriptLanguage } from "./script-language.js";
import { ScriptNode } from "./script-node.js";

/**
 * A list of statements and the names they define: a whole description, or the body of a macro. Text is read by the rules of
 * configurations (entries, brackets, arrays), each part when it is needed. Names count without regard to case.
 * Source: NetworkDescriptionLanguage.h, NDLScript.
 */
export class Script {
  /** Calls, in the order in which they are carried out. */
  readonly statements: ScriptNode[] = [];
  private readonly symbols = new Map<string, { readonly name: string; readonly node: ScriptNode }>();
  /** A macro whose header was read and whose body comes next. */
  private pending: ScriptNode | undefined;
  /** In the body of a macro's definition calls of other macros are not expanded yet. */
  private defining = false;

  constructor(
    readonly language: ScriptLanguage,
    /** A body of one expression, whose calls need no name; it cannot define macros. */
    private readonly isExpression = false,
  ) {}

  /** The names that are defined, for hints. */
  get names(): string[] {
    return [...this.symbols.values()].map(({ name }) => name);
  }

  /**
   * Adds the statements of a text. Throws CntkError `script-syntax`, `script-name`, `script-call` and what the rules of
   * configurations refuse.
   */
  parse(text: MappedText): void {
    const { result, diagnostics } = splitEntries(text, ";");
    const first = diagnostics[0];
    if (first) throw new CntkError(first);
    for (const entry of result) this.addStatement(entry.trimBlanks());
    if (this.pending) throw withoutBody(this.pending);
  }

  /** A copy for one call, with nodes of its own (NDLScript's copy constructor). */
  copy(): Script {
    const copy = new Script(this.language, this.isExpression);
    for (const node of this.statements) {
      const duplicate = this.language.deeper(node.span, () => copy.duplicate(node));
      copy.define(duplicate.name, duplicate);
      if (duplicate.argumentText) copy.readArguments(duplicate, duplicate.argumentText, true);
      copy.statements.push(duplicate);
    }
    const rest = [...this.symbols].filter(([key]) => !copy.symbols.has(key));
    for (const [, { name, node }] of rest.sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!copy.symbols.has(name.toLowerCase())) copy.define(name, copy.duplicate(node));
    }
    return copy;
  }

  /**
   * What a name stands for here. `L1.W` is W in what the macro call L1 made; behind anything else than a macro call the rest
   * of the name counts for nothing, as in CNTK. Throws CntkError `script-name`.
   */
  find(name: string): ScriptNode | undefined {
    const direct = this.symbols.get(name.toLowerCase());
    if (direct) return direct.node;
    const dot = name.indexOf(".");
    if (dot < 0) return undefined;
    const found = this.symbols.get(name.slice(0, dot).toLowerCase())?.node;
    if (!found?.body) return found;
    if (found.kind === "macroCall") return found.body.find(name.slice(dot + 1));
    throw scriptProblem(
      "script-name",
      `Symbol name not valid, ${name.slice(0, dot)} is not a macro, so ${name} cannot be interpretted`,
      found.span,
    );
  }

  has(name: string): boolean {
    return this.symbols.has(name.toLowerCase());
  }

  /** Gives a name its meaning. Throws CntkError `script-name` where it has one already. */
  define(name: string, node: ScriptNode): void {
    const known = this.symbols.get(name.toLowerCase());
    if (known && known.node.kind !== "undetermined" && known.node.kind !== "parameter") {
      throw new CntkError({
        code: "script-name",
        message:
          `Symbol '${name}' currently assigned to '${known.node.value.text}' ` +
          "reassigning to a different value not allowed",
        span: node.span,
        calls: [{ span: known.node.span, label: "defined first" }],
        hint: "names count without regard to case, and each can be defined once",
      });
    }
    this.symbols.set(name.toLowerCase(), { name: known?.name ?? name, node });
  }

  /** Lets a formal parameter stand for an argument. */
  assign(name: string, node: ScriptNode): void {
    const known = this.symbols.get(name.toLowerCase());
    if (!known) {
      throw scriptProblem(
        "script-call",
        `Symbol '${name}' currently does not exist, attempting to assigned value '${node.value.text}' ` +
          "AssignSymbol() requires existing symbol",
        node.span,
        "the macro has no such parameter",
      );
    }
    this.symbols.set(name.toLowerCase(), { name: known.name, node });
  }

  /**
   * The variable, number, array or option that a text is. `create` makes a name that is not defined yet a parameter, to be
   * looked up later; otherwise it gives undefined.
   */
  readVariable(text: MappedText, create: boolean): ScriptNode | undefined {
    if (isOpening(text.text, 0)) {
      const array = this.newNode("array", text);
      array.argumentText = text;
      this.readArguments(array, text);
      return array;
    }
    if (isNumber(text.text)) return this.newNode("constant", text);
    const equals = text.text.indexOf("=");
    if (equals >= 0) {
      const value = withoutQuotes(text.slice(equals + 1).trimBlanks());
      const name = text.slice(0, equals).trimBlanks().text;
      return this.newNode("option", value, name, text.spanOf());
    }
    const known = this.lookUp(text);
    if (known || !create) return known;
    const parameter = this.newNode("parameter", text, text.text);
    this.define(text.text, parameter);
    return parameter;
  }

  private addStatement(entry: MappedText): void {
    const macro = this.pending;
    if (macro) {
      this.pending = undefined;
      this.readBody(macro, entry);
      return;
    }
    const statement = readStatement(entry);
    if (!statement.key && !this.isExpression) {
      this.pending = this.defineMacro(entry);
      return;
    }
    const { key, value } = statement;
    if (key && functionName(key.text)) {
      throw scriptProblem(
        "script-name",
        `variable ${key.text} is invalid, it is reserved because it is also the name of a function`,
        key.spanOf(),
      );
    }
    if (value.text.indexOf("(") > 0) {
      const call = this.readCall(value);
      if (key && key.text !== "") call.name = key.text;
      call.span = entry.spanOf();
      this.define(call.name, call);
      this.statements.push(call);
      return;
    }
    const variable = this.readVariable(value, true);
    if (!variable || !key) throw scriptProblem("script-syntax", "a value without a name", value.spanOf());
    this.define(key.text, variable);
    variable.name = key.text;
  }

  /** `Name (a, b)` in front of a body. */
  private defineMacro(header: MappedText): ScriptNode {
    const { name, parameters } = readHeader(header);
    if (this.lookUp(name)) {
      throw scriptProblem(
        "script-name",
        `function '${name.text}' already defined`,
        name.spanOf(),
        `without an = this begins the definition of a macro; a call has a name: z = ${name.text} (…)`,
      );
    }
    const { macros } = this.language;
    const macro = macros.newNode("macro", parameters, name.text, header.spanOf());
    macro.formals = formalParameters(name, parameters);
    macros.define(name.text, macro);
    return macro;
  }

  private readBody(macro: ScriptNode, text: MappedText): void {
    const isExpression = text.text.startsWith("=");
    const rest = isExpression ? text.slice(1).trimBlanks() : text;
    if (rest.length === 0) throw withoutBody(macro);
    const body = new Script(this.language, isExpression);
    body.defining = true;
    for (const formal of macro.formals) {
      const parameter = body.newNode("parameter", formal, formal.text);
      macro.args.push(parameter);
      body.define(formal.text, parameter);
    }
    this.language.deeper(macro.span, () => body.parse(rest));
    body.defining = false;
    macro.body = body;
  }

  private readCall(text: MappedText): ScriptNode {
    let open = 0;
    while (open < text.length && !isOpening(text.text, open)) open++;
    const name = text.slice(0, open).trimBlanks();
    if (this.find(name.text)) {
      throw scriptProblem("script-call", `'${name.text}' is neither a function nor a macro`, name.spanOf());
    }
    const call = this.lookUp(name, text.spanOf());
    if (!call) {
      const known = [...this.language.macros.names, ...functionNames];
      throw scriptProblem(
        "script-call",
        `Undefined function or macro '${name.text}' in ${text.text}`,
        name.spanOf(),
        didYouMean(name.text, known),
      );
    }
    call.argumentText = text.slice(open);
    this.language.deeper(name.spanOf(), () => this.readArguments(call, text.slice(open)));
    return call;
  }

  /** The arguments of a call or elements of an array, which are further ones if there are some. */
  private readArguments(of: ScriptNode, text: MappedText, create = false): void {
    for (const item of readArray(text)) {
      if (item.text.includes("(")) {
        of.args.push(this.readCall(item));
        continue;
      }
      let node = this.readVariable(item, create);
      if (!node) {
        node = this.newNode("undetermined", item, item.text);
        this.define(item.text, node);
      }
      of.args.push(node);
    }
  }

  /** A name that is known here, a macro (then a call of it begins) or a function (then that begins). */
  private lookUp(name: MappedText, span: Span = name.spanOf()): ScriptNode | undefined {
    const own = this.find(name.text);
    if (own) return own;
    const { macros } = this.language;
    const shared = this === macros ? undefined : macros.find(name.text);
    if (shared) return shared.kind === "macro" ? this.callOf(shared, name, span) : shared;
    const operation = functionName(name.text);
    if (operation === undefined) return undefined;
    return this.newNode("function", MappedText.literal(operation, name.spanOf()), undefined, span);
  }

  private callOf(macro: ScriptNode, name: MappedText, span: Span): ScriptNode {
    const call = this.newNode("macroCall", name, undefined, span);
    const { body } = macro;
    if (!body) {
      throw scriptProblem(
        "script-call",
        `Macro '${name.text}' calls itself`,
        name.spanOf(),
        "a macro can call only those whose definitions are complete",
      );
    }
    call.body = this.defining ? body : this.language.deeper(span, () => body.copy());
    call.formals = macro.formals;
    return call;
  }

  private duplicate(node: ScriptNode): ScriptNode {
    this.language.countNode(node.span);
    return node.copyInto(this);
  }

  /** A new part of this script; without a name it gets a number. */
  private newNode(
    kind: ScriptNode["kind"],
    value: MappedText,
    name = this.language.newName(),
    span: Span = value.spanOf(),
  ): ScriptNode {
    this.language.countNode(span);
    return new ScriptNode(name, kind, value, this, span);
  }
}

function withoutBody(macro: ScriptNode): CntkError {
  return scriptProblem(
    "script-syntax",
    `Body of Macro missing: ${macro.name}`,
    macro.span,
    "a statement is name = …; a macro's definition goes on with [ … ]",
  );
}

function withoutQuotes(text: MappedText): MappedText {
  const isQuoted = text.length > 1 && text.text.startsWith('"') && text.text.endsWith('"');
  return isQuoted ? text.slice(1, text.length - 1) : text;
}
