import { expect, test } from "vitest";
import { printValues } from "../../src/evaluator/index.js";
import { evaluateText } from "../support/evaluate-text.js";

test("lists members with types, values and places", () => {
  const text = `n = 1 + 2
s = 'text'
f (x, y = 1) = x
r = [ a = n ; again = r ]
l[i:1..2] = i * i
broken = missing`;
  expect(printValues(evaluateText(text))).toBe(
    [
      "n : Number = 3    test.bs:1:7",
      "s : String = 'text'    test.bs:2:5",
      "f : Function (x, y = …)    test.bs:3:4",
      "r : Record    test.bs:4:5",
      "  a : Number = 3    test.bs:4:11",
      "  again : Record, shown above    test.bs:4:23",
      "l : Array of 2    test.bs:5:1",
      "  [1] : Number = 1    test.bs:5:3",
      "  [2] : Number = 4    test.bs:5:3",
      "broken : error: unknown identifier 'missing'    test.bs:6:10",
      "",
    ].join("\n"),
  );
});
