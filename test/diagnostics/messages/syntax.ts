import { expression, networkFile, type MessageCase } from "./message-case.js";

/** BrainScript that cannot be read. */
export const syntaxCases: readonly MessageCase[] = [
  expression("unexpected-token", "f (x) = x + 1\nz = f (1"),
  expression("unexpected-token", "a.b = 1"),
  expression("unexpected-token", "a = [ b = 1, c = 2 ]"),
  expression("operand-expected", "z = 3 * / 4"),
  {
    code: "junk-at-end",
    files: { "net.bs": "z = 1 } + 2\n" },
    command: "explain configFile=net.bs --stage ast",
  },
  expression("unexpected-token", "z = if 1 = 2 then 3 else 4"),
  expression("unexpected-token", "z = if 1 == 2 then 3\ny = 4"),
  expression("unexpected-token", "z = [| 1, 2 |]"),
  expression("unexpected-token", "f (x) [ y = x + 1 ]\nz = f (1)"),
  expression("parameter-name", "z = Length ([f (1), 2])"),
  expression("unexpected-character", "z = 3 ~ 4"),
  expression("unexpected-character", "z = “three”"),
  expression("unexpected-character", "z = `three`"),
  expression("unclosed-comment", "z = 3 /* three"),
  expression("unclosed-string", "z = 'three"),
  expression("duplicate-member", "a = 1\na = 2"),
  expression("parameter-name", "f (1) = 2"),
  expression("duplicate-parameter", "f (x, a = 1, a = 2) = x"),
  expression("lambda-parameter", "f = (x + 1 => x)"),
  expression("include-without-path", "include layers"),
  expression("include-missing", 'include "layers.bs"'),
  {
    code: "include-cycle",
    files: { "net.cntk": networkFile('include "self.bs"'), "self.bs": 'include "self.bs"\n' },
    command: "explain configFile=net.cntk --stage values",
  },
];
