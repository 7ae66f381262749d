import { describe, expect, test } from "vitest";
import { CntkError, type Diagnostic } from "../../src/diagnostics/index.js";
import { marked } from "../support/marked-text.js";
import { run } from "../support/evaluate-text.js";

function diagnosticOf(text: string): Diagnostic {
  try {
    run(text);
  } catch (error) {
    if (error instanceof CntkError) return error.diagnostic;
    throw error;
  }
  throw new Error("there was no error");
}

/** The marked place must be the one that the error points at. */
function expectError(source: string, message: string): Diagnostic {
  const { text, ranges } = marked(source);
  const diagnostic = diagnosticOf(text);
  expect(diagnostic.message).toBe(message);
  const { span } = diagnostic;
  expect(span && { start: span.start, end: span.end }).toEqual(ranges[0]);
  return diagnostic;
}

describe("places of errors", () => {
  test("an operator", () => {
    const diagnostic = expectError("do = 'a' <|+|> 1", "operator + cannot be applied to these operands");
    expect(diagnostic.hint).toBe("the operands are of type 'String' and 'Double'");
  });
  test("too many arguments: the first of them", () => {
    const message = "function expects 1 positional parameters, 2 were provided";
    expect(expectError("f (x) = x do = f (<|1|>, 2)", message).hint).toBe("its parameters are (x)");
  });
  test("an argument list without arguments: its end", () => {
    expectError(
      "f (x, y = 1) = x do = f (<|)|>",
      "function expects 1 positional parameters, 0 were provided",
    );
  });
  test("a named argument is not a positional one", () => {
    const message = "function expects 1 positional parameters, 0 were provided";
    expectError("f (x) = x do = f (<|x|> = 3)", message);
  });
  test("an optional argument that does not exist", () => {
    const message = "function does not have an optional argument 'strides'";
    const diagnostic = expectError("f (x, stride = 1) = x do = f (1, <|strides|> = 2)", message);
    expect(diagnostic.hint).toBe("did you mean 'stride'?");
  });
  test("a member that does not exist", () => {
    expectError("r = [abc = 1] do = r.<|abd|>", "unknown identifier 'abd'");
  });
  test("an index", () => {
    expectError("a = 1:2 do = a[<|2|>]", "Index 2 out of bounds [0..1].");
    // CNTK's own answer: what stands before 0 is never found.
    expectError("a = array [-1..1] (i => i) do = a[<|-|>1]", "Index -1 out of bounds [-1..1].");
  });
  test("what is no function", () => {
    expectError("a = 3 do = <|a|> (1)", "expected expression of type 'function'");
  });
  test("the condition of an if", () => {
    expectError("do = if <|1|> then 2 else 3", "expected expression of type 'boolean'");
  });
  test("a circle: the expression that needs itself", () => {
    const about = "expression to compute identifier's value uses the identifier's value";
    expectError("a = <|b|> b = a do = a", `circular reference (${about})`);
  });
});

describe("what an error tells beside", () => {
  test("the chain of evaluation, innermost step first", () => {
    const text = "f (x) = x + undefinedVariable\ng (x) = f (x)\ndo = Print (g (1))";
    const { calls = [] } = diagnosticOf(text);
    const steps = calls.map(({ span, label }) => `${label} at ${span.source.name}`);
    expect(steps).toEqual([
      "in the call of f at test.bs",
      "in the call of g at test.bs",
      "'value' is used at language.bs",
      "in new PrintAction at language.bs",
      "in the call of Print at test.bs",
    ]);
  });
  test("a name that is near", () => {
    expect(diagnosticOf("do = Lenght ('abc')").hint).toBe("did you mean 'Length'?");
    expect(diagnosticOf("do = new StringFunktion []").hint).toBe("did you mean 'StringFunction'?");
  });
  test("the same error when asked again", () => {
    const text = "a = undefinedVariable do = a";
    expect(diagnosticOf(text)).toEqual(diagnosticOf(text));
  });
});

describe("deep recursion", () => {
  test("goes a thousand calls deep", () => {
    expect(run("f (n) = if n > 1 then f (n - 1) + n else 1 do = Print (f (1000))")).toBe("500500");
  });
  test("ends in a message, not in a JavaScript stack overflow", () => {
    const diagnostic = diagnosticOf("f (n) = f (n + 1) + 1\ndo = Print (f (0))");
    expect(diagnostic.message).toBe("the expression is nested too deeply");
    expect(diagnostic.span?.source.name).toBe("test.bs");
  });
});

describe("names that are known but not there yet", () => {
  const host = { namesNotYet: new Set(["BS.Loop.Count", "Later"]) };
  const messageOf = (text: string): string => {
    try {
      run(text, host);
    } catch (error) {
      if (error instanceof CntkError) return error.message;
      throw error;
    }
    throw new Error("there was no error");
  };
  test("a member is known by its full name", () => {
    expect(messageOf("BS = [ Loop = [ Clunt (x) = x ] ] do = BS.Loop.Count (1)")).toBe(
      "BS.Loop.Count is not available yet",
    );
  });
  test("a top-level name", () => {
    expect(messageOf("do = Later (1)")).toBe("Later is not available yet");
  });
  test("elsewhere the same word is just unknown", () => {
    expect(messageOf("r = [ a = 1 ] do = r.Count")).toBe("unknown identifier 'Count'");
  });
});

describe("the place of an error is the one of its writer", () => {
  test("the calls around the failing expression, though another one asked for it", () => {
    const text = "f (x) = [ v = x + undefinedVariable ]\nr = f (1)\ng (y) = y\ndo = Print (g (r.v))";
    const { callers = [] } = diagnosticOf(text);
    expect(callers.map(({ source, start, end }) => source.text.slice(start, end))).toEqual(["f"]);
  });
});
