import type { NetworkNode } from "../../network/network.js";
import type { FunctionCall } from "./function-call.js";
import { inputFunctions } from "./functions-inputs.js";
import { normalizationFunctions } from "./functions-normalization.js";
import { parameterFunctions } from "./functions-parameters.js";
import { shapingFunctions } from "./functions-shaping.js";
import { windowFunctions } from "./functions-windows.js";
import type { ScriptNode } from "./script-node.js";

/** What a function of the language does with its arguments. All but the ordinary ones have an entry of their own. */
export interface ScriptFunction {
  /** Refuses a wrong number of arguments, with CNTK's sentence. */
  check?(call: FunctionCall): void;
  /** The first argument that is looked at before the node is made, since sizes are among them. */
  readonly sizesFrom?: number;
  make(call: FunctionCall): NetworkNode;
  /** The arguments that are nodes. */
  inputs(call: FunctionCall): readonly ScriptNode[];
  /** What the pass that attaches inputs does besides. It comes to calls among the arguments of others too. */
  attach?(call: FunctionCall, node: NetworkNode): void;
  /** What the last pass adds: initial values. It comes to statements only. */
  finish?(call: FunctionCall, node: NetworkNode): void;
}

/** Attributes that a node has where the language cannot say anything about them: those of CNTK's plain constructors. */
const plainAttributes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  TransposeDimensions: { axis1: 1, axis2: 2 },
  EditDistanceError: { subPen: 1, delPen: 1, insPen: 1, squashInputs: false, tokensToIgnore: [] },
  // The largest size_t: the blank is the last label.
  ForwardBackward: { blankTokenId: 2 ** 64, delayConstraint: -1 },
  RowStack: { axis: 1 },
};

/** Names that the language knows, but its factory does not (ComputationNetworkBuilder.cpp, CreateStandardNode). */
const withoutFactory = new Set(["ROIPooling"]);

/** All arguments are inputs, and there are no options. */
const ordinary: ScriptFunction = {
  make(call) {
    const operation = call.script.value.text;
    if (withoutFactory.has(operation)) {
      throw call.problem(
        `Attempted to instantiate undefined operation ${operation}.`,
        "NDL knows its name only; BrainScript has the function",
      );
    }
    const name = operation === "Transpose" ? "TransposeDimensions" : operation;
    return call.node(name, plainAttributes[name]);
  },
  inputs: ({ positional }) => positional,
};

const special: ReadonlyMap<string, ScriptFunction> = new Map(
  Object.entries({
    ...inputFunctions,
    ...parameterFunctions,
    ...shapingFunctions,
    ...windowFunctions,
    ...normalizationFunctions,
  }),
);

/** The function of that name, as `functionName` gives it. */
export function functionOf(name: string): ScriptFunction {
  return special.get(name) ?? ordinary;
}

/** Throws CntkError `input-count` where an operation takes another number of inputs than a node has. */
export function checkInputCount(call: FunctionCall, { op, inputs }: NetworkNode): void {
  const required = op.inputs.filter(({ optional }) => !optional).length;
  const most = op.variadic ? Infinity : op.inputs.length;
  if (inputs.length >= required && inputs.length <= most) return;
  const expected = inputs.length < required ? required : most;
  const names = op.inputs.map(({ name, optional }) => (optional ? `[${name}]` : name));
  throw call.problem(
    `${op.name} operation '${call.name}' expects ${expected} inputs (given: ${inputs.length})`,
    `${op.name} takes ${names.length > 0 ? names.join(", ") : "no inputs"}${op.variadic ? ", …" : ""}`,
  );
}
