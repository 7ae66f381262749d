import { readArray } from "../../config/config-section.js";
import type { MappedText } from "../../config/mapped-text.js";
import type { Span } from "../../diagnostics/source.js";
import type { NetworkNode } from "../../network/network.js";
import type { Script } from "./script.js";

/**
 * What a name or an argument of a script stands for. `parameter`: to be looked up when it is needed (a formal parameter of a
 * macro, or a name that its macro defines later). `undetermined`: the same outside macros. `option`: `name = value`.
 */
export type ScriptNodeKind =
  "constant" | "function" | "parameter" | "undetermined" | "option" | "array" | "macroCall" | "macro";

/** A named or nameless thing of a script (NetworkDescriptionLanguage.h, NDLNode). Names change when a call is given one. */
export class ScriptNode {
  /** The arguments of a call, the elements of an array; of a macro's definition, its formal parameters. */
  readonly args: ScriptNode[] = [];
  /** The text of these arguments with its brackets; a copy of the node reads it again. */
  argumentText: MappedText | undefined;
  /** Names of the formal parameters of a macro. */
  formals: readonly MappedText[] = [];
  /** The statements of a macro; for each call that is carried out a copy of its own. */
  body: Script | undefined;
  /** The node of the network that it became. */
  node: NetworkNode | undefined;

  constructor(
    public name: string,
    readonly kind: ScriptNodeKind,
    /** A function's operation, a macro's name, a constant, a name to look up. */
    readonly value: MappedText,
    /** The script whose names it sees. */
    readonly parent: Script,
    /** Where it was written. */
    public span: Span = value.spanOf(),
  ) {}

  /** The arguments that are not options. */
  get positional(): ScriptNode[] {
    return this.args.filter(({ kind }) => kind !== "option");
  }

  /** The argument `name = …`, without regard to case. */
  option(name: string): ScriptNode | undefined {
    const wanted = name.toLowerCase();
    return this.args.find((argument) => argument.kind === "option" && argument.name.toLowerCase() === wanted);
  }

  /** Where an argument stands in the call: what it is may have been written elsewhere. */
  placeOf(argument: ScriptNode): Span {
    const text = this.argumentText && readArray(this.argumentText)[this.args.indexOf(argument)];
    return text?.spanOf() ?? argument.span;
  }

  /** A copy for the call of a macro, which sees the names of that copy; its arguments are read anew by who copies it. */
  copyInto(parent: Script): ScriptNode {
    const copy = new ScriptNode(this.name, this.kind, this.value, parent, this.span);
    copy.argumentText = this.argumentText;
    copy.formals = this.formals;
    copy.body = this.body?.copy();
    return copy;
  }
}
