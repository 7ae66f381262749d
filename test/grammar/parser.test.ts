import { describe, expect, test } from "vitest";
import { parseBrainScript, plainText, printAst } from "../../grammar/index.js";
import { BrainScriptParser } from "../../grammar/parser.js";
import { placeOf } from "../../src/diagnostics/index.js";
import { marked } from "../support/marked-text.js";

function diagnosticsOf(text: string) {
  return parseBrainScript(plainText({ name: "t", text })).diagnostics;
}

/** The tree of one expression, on one line. */
function tree(expression: string): string {
  const { result, diagnostics } = parseBrainScript(plainText({ name: "t", text: `a = ${expression}` }));
  expect(diagnostics).toEqual([]);
  const lines = result ? printAst(result).split("\n").slice(2) : [];
  return lines
    .map((line) => line.trim())
    .join(" ")
    .replace(/ +/g, " ")
    .trim();
}

test("the grammar needs no more than one token of lookahead", () => {
  // chevrotain checks for ambiguities and left recursion when a parser is made, unless told not to.
  expect(() => new BrainScriptParser({ skipValidations: false })).not.toThrow();
});

describe("precedence and associativity", () => {
  test.each([
    ["1+2*3", "+ 1 * 2 3"],
    ["2*3**2", "** * 2 3 2"],
    ["1-2-3", "- - 1 2 3"],
    ["-2**2", "** -( 2 2"],
    ["-a.b", "-( . b a"],
    ["!a==b", "== !( a b"],
    ["a||b&&c", "|| a && b c"],
    ["a==b||c<d", "|| == a b < c d"],
    ["a>>b||c", ">> a || b c"],
    ["a<<1:b", ": << a 1 b"],
    ["1<2==true", "== < 1 2 1"],
    ["a with b - c", "- with a b c"],
    ["x => y => x + y", "=> () x => () y + x y"],
    ["x => 1 : 2", "=> () x : 1 2"],
    ["(x) => x", "=> () x x"],
    ["if a then b else c : d", "if a b : c d"],
    ["1 + if a then b else c + d", "+ 1 if a b + c d"],
    ["new C [x = 1].y", ". y new C [] x = 1"],
    ["new C (r)", "new C r"],
    ["f{1}(2)[3].g", ". g [ ( { f () 1 () 2 3"],
    ["(1:2):3", ": 1 2 3"],
    ["1:(2:3)", ": 1 : 2 3"],
    ["[|1;2|]:3", ": 1 2 3"],
    ["[||]:3", ": 3"],
    ["f(1, b=2, 3)", "( f () 1 3 b = 2"],
    ["array[1..2](i=>i)", "array 1 2 => () i i"],
  ])("%s", (expression, expected) => {
    expect(tree(expression)).toBe(expected);
  });

  test("macros and array members are lambdas", () => {
    expect(tree("0 V[i:1..2](x, y=3) = x")).toContain("array 1 2 => () i => () x y = 3 x");
  });
});

// The mark is the place that the message must point at.
describe("mistakes", () => {
  test.each([
    ["a=1;<|;|>b=2", "junk at end of source"],
    ["<|;|>a=1", "junk at end of source"],
    ["a=[b=1<|,|>c=2]", "']' expected"],
    ["a={b=1<|]|>", "'}' expected"],
    ["a=1 <|a|>=2", "duplicate member definition 'a'"],
    ["f(x=1, <|x|>=2)=3", "duplicate optional parameter 'x'"],
    ["f(<|1|>)=2", "argument identifier expected"],
    ["a=f(1<|=|>2)", "')' expected"],
    ["a=(x,y) => x".replace(",", "<|,|>"), "')' expected"],
    ["a=1+x <|=>|> x", "identifier expected"],
    ["a=<|)|>", "operand expected"],
    ["a=if b <|else|> c", "'then' expected"],
    ["a=b.<|then|>", "identifier expected"],
    ["a=new <|3|> []", "identifier expected"],
    ["V[<|3|>:0..1]=2", "identifier expected"],
    ["V[i:0<|]|>=2", "'..' expected"],
    ["a<|.|>b=3", "'=' expected"],
    ["a=(1:2<||>", "')' expected"],
    ["a=[|1;<||]|>", "operand expected"],
  ])("%s", (source, message) => {
    const { text, ranges } = marked(source);
    const found = diagnosticsOf(text);
    expect(found.map((one) => one.message)).toEqual([message]);
    const span = found[0]?.span;
    expect(span && { start: span.start, end: span.end }).toEqual(ranges[0]);
  });

  test("all of a file are reported, one a line, in order", () => {
    const text = [
      "a = 1 @ 2",
      "b = f(1, , 2)",
      "c = 4 4",
      "a = 5",
      "d = [ x = (1 ]",
      "e = 'good'",
      "f = !",
      "",
    ];
    const found = diagnosticsOf(text.join("\n")).map(({ message, span }) => {
      return `${span && placeOf(span.source, span.start).line}: ${message}`;
    });
    expect(found).toEqual([
      "1: unexpected character: @",
      "2: operand expected",
      "3: junk at end of source",
      "4: duplicate member definition 'a'",
      "5: ')' expected",
      "7: operand expected",
    ]);
  });

  test("there is no result when anything is wrong", () => {
    expect(parseBrainScript(plainText({ name: "t", text: "a = 1 a = 2" })).result).toBeUndefined();
  });

  test("hints for habits of other languages", () => {
    expect(diagnosticsOf("a=[b=1,c=2]")[0]?.hint).toBe(
      "members of a record are separated by new lines or by ';'",
    );
    expect(diagnosticsOf("a=1;;b=2")[0]?.hint).toBe("at most one ';' may stand between two members");
  });

  test("nesting that is too deep is a message as well", () => {
    const [diagnostic] = diagnosticsOf(`a = ${"(".repeat(100_000)}`);
    expect(diagnostic?.message).toBe("the expression is nested too deeply");
  });
});
