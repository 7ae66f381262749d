import { CntkError } from "../../diagnostics/diagnostic.js";
import type { BinaryOperatorName, CallContext, Host, ObjectValue, Value } from "../../evaluator/values.js";
import type { Attributes } from "../../network/network.js";
import type { NodeFactory } from "./computation-node.js";
import { NodeValue } from "./values.js";

/** Infix operators that stand for a two-input node whatever the operands. */
const nodeOfOperator: Readonly<Partial<Record<BinaryOperatorName, string>>> = {
  "+": "Plus",
  "-": "Minus",
  ".*": "ElementTimes",
  "<": "Less",
  "==": "Equal",
  ">": "Greater",
  ">=": "GreaterEqual",
  "!=": "NotEqual",
  "<=": "LessEqual",
};

/** What an operand of a node operator may be. */
type Operand = NodeValue | number | boolean;

/**
 * The operators on computation nodes (`Source/CNTK/BrainScript/BrainScriptEvaluator.cpp`, EvaluateNodeOp). A number beside a
 * node becomes a constant parameter of shape `[1]` that carries the operator's own path.
 */
export function nodeOperators(
  factory: NodeFactory,
): Required<Pick<Host, "binary" | "unary" | "conditional">> {
  const build = new OperatorBuilder(factory);
  return {
    binary: (operator, left, right, context) => build.binary(operator, left, right, context),
    unary: (operator, operand, context) => build.unary(operator, operand, context),
    conditional: (condition, whenTrue, whenFalse, context) =>
      build.conditional(condition, whenTrue, whenFalse, context),
  };
}

class OperatorBuilder {
  constructor(private readonly factory: NodeFactory) {}

  binary(operator: BinaryOperatorName, left: Value, right: Value, context: CallContext): Value | undefined {
    if (!(left instanceof NodeValue || right instanceof NodeValue)) return undefined;
    // CNTK asks for nothing but nodes, numbers and booleans here; anything else is no operand.
    if (!isOperand(left) || !isOperand(right)) return undefined;
    switch (operator) {
      case "*":
        return typeof left === "number" || typeof right === "number"
          ? this.apply("ElementTimes", [left, right], context)
          : this.apply("Times", [left, right], context, { outputRank: 1, inferInputRankToMap: -1 });
      case "/":
        return this.divide(left, right, context);
      case "&&":
        // `node && false` is decided already, and yields the left operand as it stands.
        if (left === false || right === false) return left;
        return this.apply("ElementTimes", [left, right], context, {}, "boolean");
      case "||":
        if (left === true || right === true) return left;
        return undefined;
      default: {
        const operation = nodeOfOperator[operator];
        return operation === undefined ? undefined : this.apply(operation, [left, right], context);
      }
    }
  }

  unary(operator: "+" | "-" | "!", operand: Value, context: CallContext): Value | undefined {
    // `!5` builds the node 1 - 5, as in CNTK.
    const applies = operand instanceof NodeValue || (operator === "!" && typeof operand === "number");
    if (!applies) return undefined;
    if (operator === "+") return operand;
    if (operator === "-") return this.apply("Negate", [operand], context);
    return this.apply("Minus", [1, operand], context);
  }

  conditional(
    condition: ObjectValue,
    whenTrue: Value,
    whenFalse: Value,
    context: CallContext,
  ): Value | undefined {
    if (!(condition instanceof NodeValue) || !isOperand(whenTrue) || !isOperand(whenFalse)) return undefined;
    const kinds = new Set([typeof whenTrue, typeof whenFalse]);
    if (kinds.has("number") && kinds.has("boolean")) {
      throw operatorError("'then' and 'else' arguments cannot mix 'Double' and' Bool'", context);
    }
    return this.apply("If", [condition, whenTrue, whenFalse], context);
  }

  private divide(left: Operand, right: Operand, context: CallContext): Value {
    if (typeof left === "number") {
      if (left !== 1) {
        throw operatorError(
          "division by a ComputationNode is currently supported for the reciprocal, 1/x",
          context,
          "write the number as a factor: c .* Reciprocal (x)",
        );
      }
      return this.apply("Reciprocal", [right], context);
    }
    if (typeof right === "number") return this.apply("ElementTimes", [left, 1 / right], context);
    throw operatorError(
      "division with ComputationNode is currently supported for 1/x and x/'Double'",
      context,
      "ElementDivide (x, y) divides element by element",
    );
  }

  /** `accepts` says which kind of constant the operator takes beside nodes. */
  private apply(
    operation: string,
    operands: readonly Operand[],
    context: CallContext,
    attributes: Attributes = {},
    accepts: "number" | "boolean" = "number",
  ): Value {
    for (const operand of operands) {
      if (typeof operand === "number" && accepts === "boolean") {
        throw operatorError("operator not applicable to type 'Double'", context);
      }
      if (typeof operand === "boolean" && accepts === "number") {
        throw operatorError("operator not applicable to type 'Bool'", context);
      }
    }
    const inputs = operands.map((operand) =>
      operand instanceof NodeValue ? operand : this.factory.constant(Number(operand), context),
    );
    return this.factory.create(operation, inputs, attributes, context);
  }
}

function isOperand(value: Value): value is Operand {
  return value instanceof NodeValue || typeof value === "number" || typeof value === "boolean";
}

function operatorError(message: string, context: CallContext, hint?: string): CntkError {
  return new CntkError({ code: "operator-operands", message, span: context.span, ...(hint && { hint }) });
}
