import { expression, type MessageCase } from "./message-case.js";

/** BrainScript that can be read, but has no value. */
export const languageCases: readonly MessageCase[] = [
  expression("unknown-identifier", "width = 3\nz = widht + 1"),
  expression("unknown-identifier", "layer = [ width = 3 ]\nz = layer.heigth"),
  expression("unknown-class", "z = new ComputatoinNode [ operation = 'Plus' ]"),
  expression("argument-count", "f (x, y) = x + y\nz = f (1)"),
  expression("unknown-argument", "f (x, bias = 0) = x + bias\nz = f (1, bais = 2)"),
  expression("type-expected", "f = 3\nz = f (1)"),
  expression("type-expected", "z = if 3 then 1 else 2"),
  expression("operator-operands", "z = 'three' - 1"),
  expression("operator-operands", "z = -'three'"),
  expression("circular-reference", "a = b + 1\nb = a + 1"),
  expression("nested-too-deeply", "f (n) = f (n + 1)\nz = f (0)"),
  expression(
    "text-too-long",
    "a = 'twenty characters!!!'\nb (n) = if n == 0 then a else b (n - 1) + b (n - 1)\nz = b (30)",
  ),
  expression("array-too-long", "z = Length (array [0..1e9] (i => i))"),
  expression("array-initializer", "f (i, j) = i\nz = array [0..2] (f)"),
  expression("index-out-of-bounds", "a = (1 : 2 : 3)\nz = a[3]"),
  expression("array-not-zero-based", "a = array [1..3] (i => i)\nz = a << 1"),
  expression("integer-expected", "z = Mod (7.5, 2)"),
  expression("missing-parameter", "z = new StringFunction [ what = 'Format' ; how = '.2' ]"),
  expression("wrong-type", "z = Length (3) + Floor ('x')"),
  expression("format-string", "z = Format (3.5, '%.2f')"),
  expression("empty-pattern", "z = Replace ('text', '', 'x')"),
  expression("division-by-zero", "z = IntDiv (7, 0)"),
  expression("unknown-function", "z = new NumericFunction [ what = 'Sine' ; arg = 1 ]"),
  expression("user-failure", "z = if 1 > 2 then 1 else Fail ('one is not larger than two')"),
  expression("not-implemented", "z = [ a = 1 ] with [ b = 2 ]"),
];
