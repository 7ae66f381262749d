import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";
import { didYouMean } from "../../diagnostics/suggest.js";
import type { NetworkNode } from "../../network/network.js";
import type { SeedCounter } from "../../network/seed-counter.js";
import type { ElementType } from "../../numerics/values.js";
import { FunctionCall } from "./function-call.js";
import { checkInputCount, functionOf, type ScriptFunction } from "./functions.js";
import { addListedNodes, addTaggedNode } from "./node-groups.js";
import { scriptProblem } from "./read-statement.js";
import type { ScriptNetwork } from "./script-network.js";
import type { ScriptNode } from "./script-node.js";
import type { Script } from "./script.js";

/** What making nodes needs of the run. */
export interface ScriptSettings {
  readonly elementType: ElementType;
  readonly seeds: SeedCounter;
  /** Added to the seed of every random parameter. */
  readonly seedOffset: number;
  readFile(path: string): string;
  /** Takes a piece of the log, with its newline. */
  log(text: string): void;
}

/**
 * A script is gone through three times: nodes are made (sizes must be known by then); inputs are attached, since names may
 * be used before they are defined, and groups filled; parameters get their initial values.
 */
export const passes = ["initial", "resolve", "final"] as const;

export type Pass = (typeof passes)[number];

/**
 * Makes nodes of a script's calls. Source: ActionsLib/NDLNetworkBuilder.h and .cpp (NDLNodeEvaluatorImpl), NDLUtil.h.
 */
export class ScriptRun {
  /** Nodes whose inputs are attached already: a call is met once as a statement and again as an argument of others. */
  private readonly resolved = new Set<ScriptNode>();
  /** Calls of macros that are being carried out, innermost first. */
  private calls: readonly Span[] = [];

  constructor(
    readonly network: ScriptNetwork,
    readonly settings: ScriptSettings,
  ) {}

  /** All passes over a whole description. Throws CntkError for every mistake of it. */
  runAll(script: Script): void {
    for (const pass of passes) this.run(script, pass);
  }

  /** One pass over the statements behind `after` (all, if it is not given); gives the last one. */
  run(script: Script, pass: Pass, after?: ScriptNode): ScriptNode | undefined {
    const last = this.statements(script, "", pass, after);
    if (pass === "resolve") addListedNodes(script, this.network);
    return last;
  }

  private statements(script: Script, base: string, pass: Pass, after?: ScriptNode): ScriptNode | undefined {
    const { statements } = script;
    const first = after ? statements.indexOf(after) + 1 : 0;
    for (const node of statements.slice(first)) {
      if (node.kind === "macroCall") {
        this.callMacro(node, base, pass);
        addTaggedNode(node, this.network);
      } else {
        this.callFunction(node, base, pass);
      }
    }
    return statements[statements.length - 1] ?? after;
  }

  /**
   * Carries out the body of a macro with its arguments. What it gives is what the body calls like the macro itself, or else
   * its last statement (NDLNode::EvaluateMacro).
   */
  private callMacro(call: ScriptNode, base: string, pass: Pass): void {
    const { body } = call;
    if (!body) throw new Error("the call of a macro without a body");
    passArguments(call, body);
    const outer = this.calls;
    this.calls = [call.span, ...outer];
    const last = calledFrom(call, () =>
      this.statements(body, base === "" ? call.name : `${base}.${call.name}`, pass),
    );
    this.calls = outer;
    const result = body.find(call.value.text) ?? last;
    if (result) call.node = result.node;
  }

  private callFunction(node: ScriptNode, base: string, pass: Pass): void {
    if (node.kind === "constant" || node.kind === "array") return;
    const name = base === "" ? node.name : `${base}.${node.name}`;
    const definition = functionOf(node.value.text);
    const call = new FunctionCall(node, name, this.settings, this.network, this.calls);
    if (pass !== "initial") node.node ??= this.network.find(name);
    switch (pass) {
      case "initial":
        this.makeNode(node, definition, call, base);
        break;
      case "resolve":
        if (this.resolved.has(node)) break;
        this.resolved.add(node);
        this.attachInputs(node, definition, call, base);
        addTaggedNode(node, this.network);
        break;
      case "final":
        if (node.node) definition.finish?.(call, node.node);
    }
  }

  private makeNode(node: ScriptNode, definition: ScriptFunction, call: FunctionCall, base: string): void {
    definition.check?.(call);
    // What stands in the place of sizes is looked at first: calls among them make nodes too.
    if (definition.sizesFrom !== undefined) {
      this.evaluateArguments(node, call.positional.slice(definition.sizesFrom), base, "initial");
    }
    node.node = definition.make(call);
    this.evaluateArguments(node, definition.inputs(call), base, "initial");
  }

  private attachInputs(node: ScriptNode, definition: ScriptFunction, call: FunctionCall, base: string): void {
    const made = node.node;
    if (!made) throw scriptProblem("script-name", `'${call.name}' was never made`, node.span);
    const inputs = definition.inputs(call);
    const results = this.evaluateArguments(node, inputs, base, "resolve");
    made.inputs = results.map((result, index): NetworkNode => {
      if (result.node) return result.node;
      const argument = inputs[index] ?? node;
      throw scriptProblem(
        "script-arguments",
        `'${argument.value.text}' is not a node, so that ${node.value.text} cannot take it as an input`,
        node.placeOf(argument),
        argument.kind === "constant" ? "write Constant (…) for a node that has this value" : undefined,
      );
    });
    checkInputCount(call, made);
    definition.attach?.(call, made);
  }

  private evaluateArguments(
    node: ScriptNode,
    args: readonly ScriptNode[],
    base: string,
    pass: Pass,
  ): ScriptNode[] {
    return args.map((argument) => this.evaluateArgument(node, argument, base, pass));
  }

  /** What an argument is: itself, or what its name stands for (EvaluateParameter). */
  private evaluateArgument(node: ScriptNode, argument: ScriptNode, base: string, pass: Pass): ScriptNode {
    const evaluates = argument.node === undefined || pass === "resolve";
    switch (argument.kind) {
      case "undetermined":
      case "parameter":
        return pass === "resolve" && argument.node === undefined
          ? this.resolveName(node, argument)
          : argument;
      case "function":
        if (evaluates)
          argument.parent.language.deeper(argument.span, () => this.callFunction(argument, base, pass));
        return argument;
      case "macroCall":
        if (evaluates && !this.isDone(argument, pass)) this.callMacro(argument, base, pass);
        return argument;
      case "constant":
        return argument;
      default: {
        const name = base === "" ? `.${node.name}` : `${base}.${node.name}`;
        throw scriptProblem(
          "script-arguments",
          `Invalid parameter (macro definitions and arrays not allowed), see call to ${name}`,
          argument.span,
        );
      }
    }
  }

  /** The call of a macro that was carried out in this pass needs no second time. */
  private isDone(call: ScriptNode, pass: Pass): boolean {
    if (pass !== "resolve") return false;
    if (this.resolved.has(call)) return true;
    this.resolved.add(call);
    return false;
  }

  private resolveName(node: ScriptNode, argument: ScriptNode): ScriptNode {
    const found = node.parent.find(argument.name);
    if (!found) return argument;
    // The name counts where it was passed from.
    const resolved = found.parent.find(found.name);
    if (resolved?.node) return resolved;
    const known = this.network.find(found.name);
    if (!known) throw this.unresolved(argument, found);
    const result = resolved ?? argument;
    result.node = known;
    return result;
  }

  private unresolved(argument: ScriptNode, found: ScriptNode): Error {
    const isCall = found.kind === "function" || found.kind === "macroCall";
    const hint = isCall
      ? "a call cannot be handed to a macro: give it a name first"
      : didYouMean(
          found.name,
          found.parent.names.filter((name) => name !== found.name),
        );
    return scriptProblem(
      "script-name",
      `Parameter name could not be resolved '${found.name}'`,
      isCall ? found.span : argument.span,
      hint,
    );
  }
}

/** Does what a macro says; an error tells who called it. */
function calledFrom<T>(call: ScriptNode, action: () => T): T {
  try {
    return call.parent.language.deeper(call.span, action);
  } catch (error) {
    if (!(error instanceof CntkError)) throw error;
    const { diagnostic } = error;
    const site = { span: call.span, label: `in the call of ${call.value.text}` };
    throw new CntkError({ ...diagnostic, calls: [...(diagnostic.calls ?? []), site] });
  }
}

/** Lets the formal parameters of a macro stand for the arguments of a call. */
function passArguments(call: ScriptNode, body: Script): void {
  const { args, formals } = call;
  if (args.length < formals.length) {
    throw scriptProblem(
      "script-call",
      `Parameter mismatch, ${args.length} parameters provided, ${formals.length} expected in call to ${call.value.text}`,
      call.span,
      `the parameters are ${formals.map((formal) => formal.text).join(", ")}`,
    );
  }
  for (const [index, argument] of args.entries()) {
    const formal = formals[index]?.text;
    if (argument.kind === "option") {
      if (formal !== undefined) {
        throw scriptProblem(
          "script-call",
          `Parameter mismatch, parameter ${index} is an optional parameter, but should be a required parameter`,
          argument.span,
        );
      }
      if (body.has(argument.name)) body.assign(argument.name, argument);
      else body.define(argument.name, argument);
      continue;
    }
    const passed = argument.kind === "parameter" ? call.parent.find(argument.name) : argument;
    if (!passed) throw scriptProblem("script-name", `'${argument.name}' is not defined`, argument.span);
    body.assign(formal ?? argument.name, passed);
  }
}
