import { parseBoolean, parseDouble, parseSize } from "../../config/conversions.js";
import type { MappedText } from "../../config/mapped-text.js";
import { MappedText as Mapped } from "../../config/mapped-text.js";
import type { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";
import { didYouMean } from "../../diagnostics/suggest.js";
import { makeNode } from "../../network/build.js";
import type { Attributes, NetworkNode } from "../../network/network.js";
import { operationByName } from "../../ops/index.js";
import { scriptProblem } from "./read-statement.js";
import type { ScriptNetwork } from "./script-network.js";
import type { ScriptNode } from "./script-node.js";
import type { ScriptSettings } from "./script-run.js";

/** A function's call as the functions see it: arguments, sizes among them, options, and how a node is made of them. */
export class FunctionCall {
  readonly positional: readonly ScriptNode[];

  constructor(
    readonly script: ScriptNode,
    /** The name of its node in the network. */
    readonly name: string,
    readonly settings: ScriptSettings,
    readonly network: ScriptNetwork,
    private readonly calls: readonly Span[],
  ) {
    this.positional = script.positional;
  }

  get span(): Span {
    return this.script.span;
  }

  /** A node of that operation, in the network. */
  node(operation: string, attributes: Attributes = {}, name = this.name): NetworkNode {
    const op = operationByName(operation);
    if (!op) {
      throw scriptProblem(
        "unknown-operation",
        `Attempted to instantiate undefined operation ${operation}.`,
        this.span,
      );
    }
    const { span: origin, calls } = this;
    const engine = operation === "Dropout" ? this.settings.seeds.drawEngine() : {};
    const node = makeNode({
      op,
      name,
      attributes: { ...attributes, ...engine },
      origin,
      ...(calls.length > 0 && { calls }),
    });
    this.settings.seeds.drawNodeNumber();
    this.network.add(node);
    return node;
  }

  /** An argument that must be a number, through the names that stand for it. Throws CntkError `script-scalar`. */
  scalar(index: number): MappedText {
    const argument = this.positional[index];
    if (!argument) throw this.problem(`${this.script.value.text} lacks its argument ${index + 1}`);
    return scalarOf(argument, this.script.placeOf(argument));
  }

  /** An argument that is a C `size_t`. */
  size(index: number): number {
    return Number(parseSize(this.scalar(index)));
  }

  /** The text of an option, or of the constant that it names; undefined where it is not given. */
  option(name: string): MappedText | undefined {
    const given = this.script.option(name);
    if (!given) return undefined;
    const named = this.script.parent.readVariable(given.value, false);
    return named ? scalarOf(named, given.value.spanOf()) : given.value;
  }

  stringOption(name: string, fallback: string): string {
    return this.option(name)?.text ?? fallback;
  }

  sizeOption(name: string, fallback: number): number {
    const text = this.option(name);
    return text ? Number(parseSize(text)) : fallback;
  }

  numberOption(name: string, fallback: number): number {
    const text = this.option(name);
    return text ? parseDouble(text) : fallback;
  }

  /** A number of the run's precision. */
  elementOption(name: string, fallback: number): number {
    const number = this.numberOption(name, fallback);
    return this.settings.elementType === "float" ? Math.fround(number) : number;
  }

  booleanOption(name: string, fallback: boolean): boolean {
    const text = this.option(name);
    return text ? parseBoolean(text) : fallback;
  }

  /** `HWC` or `CHW`. Throws CNTK's message for other words. */
  imageLayout(fallback: "HWC" | "CHW"): "HWC" | "CHW" {
    const text = this.option("imageLayout");
    if (!text) return fallback;
    const word = text.text.toLowerCase();
    if (word === "chw" || word === "cudnn") return "CHW";
    if (word === "hwc" || word === "legacy") return "HWC";
    throw scriptProblem(
      "unknown-image-layout",
      `ImageLayoutKindFrom: Unknown ImageLayoutKind '${text.text}', must be 'CHW' (cudnn) or 'HWC' (CNTK legacy)`,
      text.spanOf(),
    );
  }

  /** An argument that is a list of sizes, or one. */
  shape(index: number): readonly number[] {
    const argument = this.positional[index];
    if (!argument) throw this.problem(`${this.script.value.text} lacks its argument ${index + 1}`);
    if (argument.kind !== "array")
      return [Number(parseSize(scalarOf(argument, this.script.placeOf(argument))))];
    return this.sizesOf(argument.value);
  }

  /** An option that is a list of sizes, or one. */
  shapeOption(name: string, fallback: number): readonly number[] {
    const given = this.script.option(name);
    return given ? this.sizesOf(given.value) : [fallback];
  }

  /** An option that is a list of booleans, or one. */
  booleansOption(name: string, fallback: boolean): readonly boolean[] {
    const given = this.script.option(name);
    if (!given) return [fallback];
    const named = this.script.parent.readVariable(given.value, false);
    if (!named) return [parseBoolean(given.value)];
    if (named.kind !== "array") return [parseBoolean(named.value)];
    return named.positional.map(({ value }) => parseBoolean(value));
  }

  /** What a word is that may be given by name. */
  word(index: number): MappedText {
    const value = this.positional[index]?.value ?? Mapped.empty;
    return this.script.parent.readVariable(value, false)?.value ?? value;
  }

  problem(message: string, hint?: string): CntkError {
    return scriptProblem("script-arguments", message, this.span, hint);
  }

  private sizesOf(text: MappedText): readonly number[] {
    const named = this.script.parent.readVariable(text, false);
    if (named?.kind === "array") return named.positional.map(({ value }) => Number(parseSize(value)));
    return [Number(parseSize(named?.value ?? text))];
  }
}

/**
 * The constant that a name stands for in the end (NDLNode::GetScalar). Throws CntkError `script-scalar` where it is none,
 * or not known yet.
 */
function scalarOf(argument: ScriptNode, place: Span): MappedText {
  let node: ScriptNode | undefined = argument;
  const seen = new Set<ScriptNode>();
  while (node?.kind === "parameter") {
    const next: ScriptNode | undefined =
      node.parent.find(node.value.text) ?? node.parent.language.macros.find(node.value.text);
    seen.add(node);
    // A name that stands for itself was never defined.
    if (next && seen.has(next)) {
      throw scriptProblem(
        "script-scalar",
        `undefined Variable, '${node.name}' found, must be declared before first use`,
        place,
        similar(node),
      );
    }
    node = next;
  }
  if (node?.kind === "constant") return node.value;
  const isUnknown = node === undefined || node.kind === "undetermined";
  throw scriptProblem(
    "script-scalar",
    `Scalar expected, '${(node ?? argument).name}' must be a constant or variable that resolves to a constant`,
    place,
    isUnknown
      ? (similar(argument) ?? "a number must be defined above the place where it is used")
      : "a number is expected here",
  );
}

function similar(node: ScriptNode): string | undefined {
  return didYouMean(
    node.name,
    node.parent.names.filter((name) => name.toLowerCase() !== node.name.toLowerCase()),
  );
}
