import { describe, expect, it } from "vitest";
import type { ConfigSection, MappedText } from "../../src/config/index.js";
import { parseSize, readConfiguration } from "../../src/config/index.js";
import { CntkError } from "../../src/diagnostics/index.js";
import { memoryFiles } from "../support/memory-files.js";

/** The root section of a configuration file with the text; fails on any mistake in it, as CNTK does. */
function config(text: string): ConfigSection {
  const files = memoryFiles(new Map([["/f.cntk", text]]));
  const { result, diagnostics } = readConfiguration(["configFile=f.cntk"], files);
  if (diagnostics[0]) throw new CntkError(diagnostics[0]);
  return result.root;
}

/** Behaviour of CNTK's own configuration reader, observed by running it. */
describe("configuration language", () => {
  it("V1 separates entries at comma, semicolon and line end", () => {
    const root = config("d = 1, e = 2 ; f = 3");
    expect([root.string("d"), root.string("e"), root.string("f")]).toEqual(["1", "2", "3"]);
    expect(root.keys()).toEqual(["d", "e", "f"]);
  });
  it("V2 takes a lone word as true", () => expect(config("flag").string("flag")).toBe("true"));
  it("V3 takes # as a comment only after a blank", () => {
    expect(config("a = x#y").string("a")).toBe("x#y");
    expect(config("a = x #y").string("a")).toBe("x");
  });
  it("V4 trims inside quotes", () => expect(config('b = "  p  "').string("b")).toBe("p"));
  it("V5 repeats array items", () => {
    const root = config("i = 0.5:0.2*3:0.1");
    expect(root.array("i")).toEqual(["0.5", "0.2", "0.2", "0.2", "0.1"]);
    expect(root.numberSchedule("i").values).toEqual([0.5, 0.2, 0.2, 0.2, 0.1]);
    expect(root.floatSchedule("i").values).toEqual([
      0.5,
      ...Array<number>(3).fill(Math.fround(0.2)),
      Math.fround(0.1),
    ]);
    expect(root.numberSchedule("i").at(100)).toBe(0.1);
  });
  it("V6 lets a sign after a bracket replace the separator", () => {
    expect(config("h = (-1:2:3)").array("h")).toEqual(["1:2:3"]);
  });
  it("V7 drops empty items and opens outer brackets", () => {
    expect(config("x = a::b").array("x")).toEqual(["a", "b"]);
    expect(config("x=(a:b*2)").array("x")).toEqual(["a", "b", "b"]);
  });
  it("V8 gives apostrophes no meaning", () => {
    const root = config("x='x;y'");
    expect([root.string("x"), root.string("y'")]).toEqual(["'x", "true"]);
  });
  it("V9 resolves variables in any order", () => expect(config("A=$B$\nB=2").string("A")).toBe("2"));
  it("V10 sees only the root's variables", () => {
    expect(() => config("t=[ l=5\n v=$l$ ]").section("t")).toThrow(
      "No variable found with the name l. Parsing of string failed: f.cntk: v=$l$ ]",
    );
  });
  it("V11 appends a bracketed value", () => {
    const root = config("a=[x=1]\na=[x=2]");
    expect(root.string("a")).toBe("[x=1] [x=2]");
    expect(root.section("a").integer("x")).toBe(2);
  });
  it("V12 replaces by a value in braces", () => expect(config("a={x=1}\na={y=2}").string("a")).toBe("{y=2}"));
  it("V13 ends a token at the closing quote", () => {
    const root = config('q="$D$"/f\nD=d');
    expect([root.string("q"), root.string("/f")]).toEqual(["d", "true"]);
  });
  it("V14 wants the value on the line of the =", () => {
    expect(() => config("a=\n[b=1]")).toThrow("ParseValue: No value given for 'a'.");
  });
  it("V15 reads 1e3 as a double, not as an int", () => {
    expect(() => config("n=1e3").integer("n")).toThrow("ConfigValue (long): invalid input string '1e3'");
    expect(config("n=1e3").number("n")).toBe(1000);
  });
  it("V16 wraps negative sizes", () => {
    expect(parseSize(config("n=-5").text("n"))).toBe(18446744073709551611n);
    expect(config("n=-5").size("n")).toBe(18446744073709551611);
  });
  it("V17 takes only CNTK's words for booleans", () => {
    expect(() => config("v=yes").boolean("v")).toThrow("ConfigValue (bool): boolean argument expected");
  });
  it("V18 lets the last of arguments and files win", () => {
    const files = memoryFiles(new Map([["/f", "a = 1\nb = 2\n"]]));
    const { result } = readConfiguration(["a=0", "b=0", "configFile=f", "a=3"], files);
    expect([result.root.string("a"), result.root.string("b")]).toEqual(["3", "2"]);
  });
  it("V19 counts quotes in // comments", () => {
    expect(() => config('x={ // it"s\n y=1 }')).toThrow('no closing " found in parameters');
  });
  it("V20 counts brackets between apostrophes", () => {
    const root = config("x={ s='}' }");
    expect([root.string("x"), root.string("' }")]).toEqual(["{ s='}", "true"]);
  });
});

describe("places", () => {
  it("are true through comments, overrides and variables", () => {
    const text = "# first\nroot = /data # here\n\ntrain = [\n  file = $root$/x.txt\n  n = 1e3 ] # end\n";
    const files = memoryFiles(new Map([["/f.cntk", text]]));
    const { root } = readConfiguration(["configFile=f.cntk", "train=[m=abc]"], files).result;
    const train = root.section("train");
    const marked = (value: MappedText) => {
      const span = value.spanOf();
      return [span.source.name, span.source.text.slice(span.start, span.end)];
    };
    expect(marked(train.text("n"))).toEqual(["f.cntk", "1e3"]);
    expect(marked(train.text("m"))).toEqual(["<command line>", "abc"]);
    expect(train.string("file")).toBe("/data/x.txt");
    expect(marked(train.text("file").slice(0, 5))).toEqual(["f.cntk", "/data"]);
    expect(marked(train.text("file").slice(5))).toEqual(["f.cntk", "/x.txt"]);
  });
});
