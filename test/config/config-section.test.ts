import { describe, expect, it } from "vitest";
import { ConfigSection, MappedText } from "../../src/config/index.js";
import { CntkError, renderDiagnostic } from "../../src/diagnostics/index.js";

const read = (text: string) => ConfigSection.read(MappedText.of({ name: "f", text }), "f");
const section = (text: string) => read(text).result;
const rendered = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    if (error instanceof CntkError) return renderDiagnostic(error.diagnostic);
  }
  throw new Error("no CntkError was thrown");
};

describe("looking up", () => {
  const root = section(
    'TraceLevel = 1\nempty = ""\nd = default\nn = 5\nt = [ a = 1 ; n = default ; u = [ b = 2 ] ]',
  );
  it("ignores the case of keys and walks outward", () => {
    const u = root.section("T").section("u");
    expect([u.integer("tracelevel"), u.integer("A"), u.integer("b")]).toEqual([1, 1, 2]);
    expect([u.has("traceLevel"), u.hasOwn("traceLevel"), u.hasOwn("B"), u.has("c")]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(u.name).toBe("f:T:u");
  });
  it("takes default as not given, without asking further out", () => {
    expect(root.section("t").integer("n", 7)).toBe(7);
    expect(root.string("d", "x")).toBe("x");
    expect(() => root.string("d")).toThrow("configparameters: required parameter missing: f:d");
  });
  it("takes an empty value as missing unless there is a fallback", () => {
    expect(() => root.string("empty")).toThrow("configparameters: required parameter missing: f:empty");
    expect(root.string("empty", "x")).toBe("");
  });
  it("names section and key of what is missing, and the near key", () => {
    expect(rendered(() => root.section("t").integer("trcLevel"))).toMatchInlineSnapshot(`
      "error: configparameters: required parameter missing: f:t:trcLevel
        at f:5:5
       5 | t = [ a = 1 ; n = default ; u = [ b = 2 ] ]
         |     ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ no 'trcLevel' in this section or around it
      hint: did you mean 'TraceLevel'?"
    `);
  });
  it("lists keys as CNTK orders them", () => {
    expect(section("b=1;_x=2;A=3;c=4;]").keys()).toEqual(["]", "_x", "A", "b", "c"]);
  });
});

describe("conversions", () => {
  const value = (text: string) => section(`v = ${text}`);
  it.each([
    ["1e3", 1000],
    ["-.5", -0.5],
    ["5.", 5],
    ["+2", 2],
    ["0x10", 16],
    ["0x1.8p1", 3],
    ["1#INF", Infinity],
    ["inf", Infinity],
    ["-inf", -Infinity],
  ])("reads %s as a double", (text, expected) => expect(value(text).number("v")).toBe(expected));
  it.each(["1.5x", "e3", "1 2", "--1"])("refuses %s as a double", (text) => {
    expect(() => value(text).number("v")).toThrow(`ConfigValue (double): invalid input string '${text}'`);
  });
  it("rounds floats", () => expect(value("0.1").float("v")).toBe(0.10000000149011612));
  it.each([
    ["12", 12],
    ["-3", -3],
    ["+4", 4],
    ["007", 7],
  ])("reads %s as an int", (text, expected) => expect(value(text).integer("v")).toBe(expected));
  it("refuses fractions and what does not fit", () => {
    expect(() => value("1.0").integer("v")).toThrow("ConfigValue (long): invalid input string '1.0'");
    expect(() => value("3000000000").integer("v")).toThrow("ConfigValue (int): integer argument expected");
    expect(() => value("x").size("v")).toThrow("ConfigValue (uint64_t): invalid input string 'x'");
  });
  it("wraps -1 to more than any count", () => expect(value("-1").size("v")).toBe(2 ** 64));
  it("reads CNTK's booleans", () => {
    for (const text of ["t", "true", "T", "True", "TRUE", "1"]) expect(value(text).boolean("v")).toBe(true);
    for (const text of ["f", "false", "F", "False", "FALSE", "0", '""']) {
      expect(value(text).boolean("v", true)).toBe(false);
    }
  });
  it("marks the value that is wrong", () => {
    expect(rendered(() => section("a = 1\nb = 0.5:0.1*x").numberSchedule("b"))).toMatchInlineSnapshot(`
      "error: ConfigValue (long): invalid input string 'x'
        at f:2:13
       2 | b = 0.5:0.1*x
         |             ^
      hint: expected decimal digits"
    `);
  });
});

describe("arrays", () => {
  const array = (text: string) => section(`v = ${text}`).array("v");
  it.each<[string, string[]]>([
    ["a:b", ["a", "b"]],
    ["(a : b)", ["a", "b"]],
    ["( (5:5) : 3 )", ["(5:5)", "3"]],
    ["[;a:1;b:2]", ["a:1", "b:2"]],
    ["(./x:y)", ["./x", "y"]],
    ["1*0:2", ["2"]],
    ["1:2*", ["1"]],
    ['"a:b"', ["a", "b"]],
  ])("splits %s", (text, expected) => expect(array(text)).toEqual(expected));
  it("falls back to the values given", () =>
    expect(section("x=1").array("v", ["p", "q"])).toEqual(["p", "q"]));
  it("splits C:\\x only where an array is asked for", () => {
    const root = section("v = C:\\x");
    expect(root.string("v")).toBe("C:\\x");
    expect(root.array("v")).toEqual(["C", "\\x"]);
  });
});

describe("splitting", () => {
  const pairs = (text: string) => {
    const root = section(text);
    return Object.fromEntries(root.keys().map((key) => [key, root.raw(key)!.text]));
  };
  it.each<[string, Record<string, string>]>([
    ["a=[x=1] b=2", { a: "[x=1]", b: "2" }],
    ["sub [ x=1 ]", { sub: "[ x=1 ]" }],
    ["[a=1;b=2]", { a: "1", b: "2" }],
    ["[,a=1;2,b=3]", { a: "1;2", b: "3" }],
    ["[_a=1;b=2]", { a: "1;b=2" }],
    ["[ _a=1;b=2]", { _a: "1", b: "2" }],
    ["a = b = c", { a: "b = c" }],
    ["t=[x=1 y=2]", { t: "[x=1 y=2]" }],
    ["a=5\na=[x=1]", { a: "5 [x=1]" }],
    ["a=[x=1]\na=5", { a: "5" }],
    ["a={}", { a: "{}" }],
    ["// Note: x", { "// Note: x": "true" }],
    ["a = f(x, y); b", { a: "f(x, y)", b: "true" }],
    ["]", { "]": "true" }],
    ["\n \n a=1\n\n", { a: "1" }],
  ])("reads %j", (text, expected) => expect(pairs(text)).toEqual(expected));

  it("reports several mistakes at once and keeps what it can read", () => {
    const { result, diagnostics } = read("a =\nb = 1\nc =\nd = [ x = (1 ]\n");
    expect(diagnostics.map(({ code, span }) => [code, span?.start])).toEqual([
      ["unmatched-bracket", 27],
      ["no-value", 0],
      ["no-value", 10],
    ]);
    expect(result.string("b")).toBe("1");
  });
  it("shows where an unmatched bracket was opened", () => {
    expect(renderDiagnostic(read("d = [\n x = (1 ]\n").diagnostics[0]!)).toMatchInlineSnapshot(`
      "error: unmatched bracket found in parameters
        at f:2:9
       2 |  x = (1 ]
         |         ^ ')' expected
        opened at f:2:6
       2 |  x = (1 ]
         |      ^"
    `);
  });
  it("judges by the indentation which bracket was forgotten", () => {
    const text =
      "train = {\n  a = {\n    b = [ x = 1\n      y = 1 ]\n    c = { d = 1\n  }\n  e = { f = 2 }\n}\n";
    expect(renderDiagnostic(read(text).diagnostics[0]!)).toMatchInlineSnapshot(`
      "error: no closing } found in parameters
        at f:5:9
       5 |     c = { d = 1
         |         ^ this bracket is never closed, to judge by the indentation
        left open at f:1:9
       1 | train = {
         |         ^"
    `);
  });
  it("reads large texts", () => {
    const lines = Array.from(
      { length: 5000 },
      (_, i) => `  key${i} = [ a = ${i} ; b = $v$/x${i} ] # note`,
    ).join("\n");
    const root = section(`v = /dir\nbig = [\n${lines}\n]`);
    expect(root.section("big").section("key4999").string("b")).toBe("/dir/x4999");
  });
});

describe("variables", () => {
  it.each([
    ["x = $a$-$b$\na = 1\nb = $a$2", "1-12"],
    ["x = $unk", "$unk"],
    ["x = $$a$\na = 1", "$$a$"],
    ["x = $1$", "$1$"],
    ["x = a $b c$", "a $b c$"],
    ["x = $a.b-c$\na.b-c = 7", "7"],
    ["x = $A$\na = 1\nA = 2", "2"],
  ])("resolves %j", (text, expected) => expect(section(text).string("x")).toBe(expected));
  it("stops at a variable that needs itself", () => {
    expect(() => section("A = $B$\nB = x$A$").string("A")).toThrow("The value of variable");
  });
  it("refuses a value of several lines", () => {
    expect(() => section("a = [\n1\n]\nx = $a$").string("x")).toThrow("Newline characters are not allowed");
  });
});

describe("injecting", () => {
  it("changes one reading of a section only, and replaces", () => {
    const root = section("reader = [ randomize = true ]");
    const reader = root.section("reader");
    reader.inject("Randomize", "None");
    reader.setDefault("randomize", "other");
    reader.setDefault("traceLevel", "1");
    expect([reader.string("randomize"), reader.string("traceLevel")]).toEqual(["None", "1"]);
    expect(root.section("reader").string("randomize")).toBe("true");
  });
});
