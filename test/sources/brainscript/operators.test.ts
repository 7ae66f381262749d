import { describe, expect, it } from "vitest";
import {
  buildError,
  buildText,
  nodeNamed,
  nodeNames,
  operationOf,
  pointedAt,
} from "../../support/build-text.js";

/** Builds `a = …` inside a nested record, where constants of operators find a name of their own. */
function nested(expression: string) {
  return buildText(
    `{ x = Input {3} ; y = Input {3} ; W = ParameterTensor {(2:3)} ; r = { a = ${expression} } ; z = r.a }`,
  );
}

describe("operators on nodes", () => {
  it.each([
    ["x + y", "Plus(x, y)"],
    ["x - y", "Minus(x, y)"],
    ["x .* y", "ElementTimes(x, y)"],
    ["W * x", "Times(W, x)"],
    ["-x", "Negate(x)"],
    ["x < y", "Less(x, y)"],
    ["x == y", "Equal(x, y)"],
    ["x > y", "Greater(x, y)"],
    ["x >= y", "GreaterEqual(x, y)"],
    ["x != y", "NotEqual(x, y)"],
    ["x <= y", "LessEqual(x, y)"],
    ["x && y", "ElementTimes(x, y)"],
    ["1 / x", "Reciprocal(x)"],
    ["if x then y else x", "If(x, y, x)"],
  ])("%s makes %s", (expression, operation) => {
    expect(operationOf(nested(expression), "z")).toBe(operation);
  });

  it.each([
    ["2 * x", "ElementTimes(r.a, x)", 2],
    ["x * 2", "ElementTimes(x, r.a)", 2],
    ["x + 0.5", "Plus(x, r.a)", 0.5],
    ["x / 4", "ElementTimes(x, r.a)", 0.25],
    ["!x", "Minus(r.a, x)", 1],
    ["x >= 1", "GreaterEqual(x, r.a)", 1],
    ["x && true", "ElementTimes(x, r.a)", 1],
  ])("%s makes %s with a constant under the operator's own path", (expression, operation, value) => {
    const built = nested(expression);
    expect(operationOf(built, "z")).toBe(operation);
    expect(nodeNamed(built, "r.a").attributes).toMatchObject({
      shape: [1],
      learningRateMultiplier: 0,
      init: "fromValue",
      value,
    });
  });

  it("gives W * x one output axis and no mapping of the rest", () => {
    const { attributes } = nodeNamed(nested("W * x"), "z");
    expect(attributes).toMatchObject({ outputRank: 1, inferInputRankToMap: -1 });
  });

  it("names operands by operator and place", () => {
    const built = buildText(
      "{ x = Input {3} ; W = ParameterTensor {(2:3)} ; b = ParameterTensor {2} ; z = Sigmoid (W * x + b) }",
    );
    expect(nodeNames(built)).toEqual(["W", "b", "x", "z", "z._", "z._.PlusArgs[0]"]);
  });

  it("decides `node && false` without a node", () => {
    const built = buildText("{ x = Input {3} ; a = if (false && x) then Input {1} else x }");
    expect(nodeNames(built)).toEqual(["x"]);
  });

  it("builds 1 - n for ! on a number, as CNTK does", () => {
    const built = buildText("{ r = { a = !5 } ; z = r.a }");
    expect(operationOf(built, "z")).toMatch(/^Minus\(/);
  });

  it.each([
    ["2 / x", "division by a ComputationNode is currently supported for the reciprocal, 1/x", "/"],
    ["x / y", "division with ComputationNode is currently supported for 1/x and x/'Double'", "/"],
    ["x ** 2", "operator ** cannot be applied to these operands", "**"],
    ["x || y", "operator || cannot be applied to these operands", "||"],
    ["x % 2", "operator % cannot be applied to these operands", "%"],
    ['x + "text"', "operator + cannot be applied to these operands", "+"],
    ["x + true", "operator not applicable to type 'Bool'", "+"],
    ["x && 1", "operator not applicable to type 'Double'", "&&"],
    ["if x then 1 else true", "'then' and 'else' arguments cannot mix 'Double' and' Bool'", "if"],
  ])("%s: %s", (expression, message, mark) => {
    const error = buildError(`{ x = Input {3} ; y = Input {3} ; a = ${expression} }`);
    expect(error.message).toBe(message);
    expect(pointedAt(error)).toBe(mark);
  });
});
