import { describe, expect, test } from "vitest";
import { CntkError } from "../../src/diagnostics/index.js";
import type { NativeClass } from "../../src/evaluator/index.js";
import { arrayItems, run } from "../support/evaluate-text.js";
import { languageCases, matchesError, tensorShapeCase, withPrint } from "./cases.js";

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof CntkError) return error.message;
    throw error;
  }
  return "no error";
}

describe("conformance cases of the language", () => {
  for (const { name, program, printed, error } of languageCases.filter((one) => !one.network)) {
    test(`${name}: ${program}`, () => {
      const text = withPrint(program);
      if (printed !== undefined) expect(run(text)).toBe(printed);
      if (error === undefined) return;
      const message = messageOf(() => run(text));
      expect(matchesError(message, error), `${message} should be ${error}`).toBe(true);
    });
  }

  test(`${tensorShapeCase.name}: ${tensorShapeCase.program}`, () => {
    let dims: unknown;
    const tensorShape: NativeClass = {
      name: "TensorShape",
      construct(args) {
        dims = arrayItems(args.lookup("dims")!.force());
        return { kind: "object", type: "TensorShape" };
      },
    };
    run(withPrint(tensorShapeCase.program), { classes: new Map([["TensorShape", tensorShape]]) });
    expect(dims).toEqual(tensorShapeCase.dims);
  });
});
