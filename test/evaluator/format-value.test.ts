import { expect, test } from "vitest";
import { formatValue, makeArray, readyThunk, type Value } from "../../src/evaluator/index.js";
import { evaluateText } from "../support/evaluate-text.js";

const nowhere = { source: { name: "test", text: "" }, start: 0, end: 0 };

function arrayOf(...values: Value[]): Value {
  return makeArray(values.map((value) => readyThunk(value, nowhere)));
}

// printf's own results, from C
test.each([
  [7, "", "7"],
  [-0, "", "0"],
  [2.5, "", "2.500000"],
  [2 ** 31, "", "2147483648.000000"],
  [-(2 ** 31), "", "-2147483648"],
  [1e10, "", "10000000000.000000"],
  [Infinity, "", "inf"],
  [-Infinity, "", "-inf"],
  [NaN, "", "-nan"],
  [0.0078125, "", "0.007812"],
  [2.5, ".0", "2"],
  [3, ".2", "03"],
  [-3, "05", "-0003"],
  [-3, "-5", "-3   "],
  [3.25, "8.1", "     3.2"],
  [1.5, "+", "+1.500000"],
  [255, "x", "ffd"],
  [2.5, "e", "2.500000e+00f"],
])("number %s with format '%s'", (value, how, text) => {
  expect(formatValue(value, how)).toBe(text);
});

test("arrays and records nest by two columns, records sorted by name", () => {
  const record = evaluateText("b = [y = 1:(2:3) ; x = 'text'] a = [||]");
  const text = "[\n  a = (  )\n  b = [\n    x = text\n    y = ( 1\n      ( 2\n        3 ) )\n  ]\n]";
  expect(formatValue(record)).toBe(text);
  expect(formatValue(arrayOf("s", arrayOf(1)))).toBe("( s\n  ( 1 ) )");
});

test("an array that begins before 0 cannot be written", () => {
  expect(() => formatValue(evaluateText("a = array [-1..1] (i => i)"))).toThrow(
    "out of bounds index while iterating",
  );
  expect(formatValue(evaluateText("a = array [1..2] (i => i)"))).toBe("[\n  a = ( 1\n    2 )\n]");
});

test("an empty record", () => {
  expect(formatValue(evaluateText(""))).toBe("[\n  \n]");
});
