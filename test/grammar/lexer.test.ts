import { describe, expect, test } from "vitest";
import { parseBrainScript, plainText, type SourceLoader } from "../../grammar/index.js";
import { tokenize } from "../../grammar/lexer.js";
import { numberOfLiteral } from "../../grammar/build-ast.js";

function words(text: string): string[] {
  return tokenize(plainText({ name: "t", text })).tokens.map((token) => token.image);
}

function messages(text: string): string[] {
  return parseBrainScript(plainText({ name: "t", text })).diagnostics.map(({ message }) => message);
}

describe("tokens", () => {
  test.each([
    ["1..2", ["1", "..", "2"]],
    ["3.*4", ["3.", "*", "4"]],
    ["3 .* 4", ["3", ".*", "4"]],
    ["1.5e-2x", ["1.5e-2", "x"]],
    ["1e", ["1", "e"]],
    ["0x10g", ["0x10", "g"]],
    ["a.5", ["a", ".5"]],
    ["[||]", ["[|", "|]"]],
    ["[|1||2|]", ["[|", "1", "||", "2", "|]"]],
    ["a**b*c>=d=>e==f=g", ["a", "**", "b", "*", "c", ">=", "d", "=>", "e", "==", "f", "=", "g"]],
    ["newer new_ news new", ["newer", "new_", "news", "new"]],
    ["_x1 x_", ["_x1", "x_"]],
    ["'a\nb' \"it's\"", ["'a\nb'", '"it\'s"']],
    ["a # b\n// c\nd /* e\n* f */ g", ["a", "d", "g"]],
    ["/**/ a", ["a"]],
    ["/* x ***/ a", ["a"]],
    ["a#b\r\nc\td", ["a", "c", "d"]],
  ])("%j", (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  test.each([
    ["a = /***/ 3", "comment without closing */"],
    ["a = /* x **/ 3", "comment without closing */"],
    ["a = 3 /*", "comment without closing */"],
    ["a = 'b", "string without closing quotation mark"],
    ['a = "b\nc = 3', "string without closing quotation mark"],
    ["a = 1 @ 2", "unexpected character: @"],
    ["a = 1 | 2", "unexpected character: |"],
    ["a = 1 & 2", "unexpected character: &"],
    ["a = \\", "unexpected character: \\"],
    ["a = é", "unexpected character: é"],
    ["a = 😀", "unexpected character: 😀"],
    ["include 3", "'include' must be followed by a quoted string"],
  ])("%j: %s", (text, message) => {
    expect(messages(text)).toEqual([message]);
  });
});

test.each([
  ["13", 13],
  [".5", 0.5],
  ["5.", 5],
  ["08", 8],
  ["0x10", 16],
  ["0x1.8p1", 3],
  ["0x.8", 0.5],
  ["1e400", Infinity],
])("the number %s", (image, value) => {
  expect(numberOfLiteral(image)).toBe(value);
});

describe("include", () => {
  const texts: Record<string, string> = {
    "lib.bs": "x = 1\ny = x + 'unclosed",
    "good.bs": "b = 2 include 'more.bs'",
    "more.bs": "c = 3",
    "loop.bs": "l = 1 include 'loop.bs'",
    "duplicate.bs": "a = 2",
  };
  const loader: SourceLoader = {
    load: (path) => {
      const text = texts[path];
      return text === undefined ? undefined : plainText({ name: path, text });
    },
  };
  const parse = (text: string) => parseBrainScript(plainText({ name: "main.bs", text }), loader);

  test("puts the tokens of the text in its place", () => {
    const { result } = parse('a = 1 include "good.bs" d = 4');
    expect(result?.members.map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
    expect(result?.members.map(({ nameSpan }) => nameSpan.source.name)).toEqual([
      "main.bs",
      "good.bs",
      "more.bs",
      "main.bs",
    ]);
  });

  test("even in the middle of an expression", () => {
    expect(parse('a = [ include "good.bs" ].b').diagnostics).toEqual([]);
  });

  test("mistakes are located in the included text", () => {
    const [diagnostic] = parse('a = 1 include "lib.bs"').diagnostics;
    expect(diagnostic?.message).toBe("string without closing quotation mark");
    expect(diagnostic?.span?.source.name).toBe("lib.bs");
    expect(diagnostic?.span?.start).toBe(14);
  });

  test("members of both texts must differ", () => {
    const [diagnostic] = parse('a = 1 include "duplicate.bs"').diagnostics;
    expect(diagnostic?.message).toBe("duplicate member definition 'a'");
    expect(diagnostic?.span?.source.name).toBe("duplicate.bs");
  });

  test("a text that is not there", () => {
    const [diagnostic] = parse('a = 1 include "absent.bs"').diagnostics;
    expect(diagnostic?.message).toBe("error opening file 'absent.bs': No such file or directory");
    expect(diagnostic?.span?.start).toBe(14);
  });

  test("a text that includes itself", () => {
    const [diagnostic] = parse('include "loop.bs"').diagnostics;
    expect(diagnostic?.message).toBe("file 'loop.bs' includes itself");
  });
});
