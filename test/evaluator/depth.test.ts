import { describe, expect, test } from "vitest";
import { buildError, buildText, nodeNamed } from "../support/build-text.js";
import { run } from "../support/evaluate-text.js";

const depth = 10_000;
const builder = (members: string): string =>
  `{ features = Input {2}\n${members}\nfeatureNodes = (features) }`;
const countOf = (text: string, operation: string): number =>
  buildText(text).network.nodes.filter((node) => node.op.name === operation).length;

describe("ten thousand layers one behind the other", () => {
  test("as members", () => {
    const members = Array.from({ length: depth }, (_, i) => `x${i + 1} = Sigmoid (x${i})`).join("\n");
    expect(countOf(builder(`x0 = features\n${members}`), "Sigmoid")).toBe(depth);
  });
  test("by a function that calls itself", () => {
    const text = builder(`f (n, x) = if n == 0 then x else Tanh (f (n - 1, x))  z = f (${depth}, features)`);
    expect(countOf(text, "Tanh")).toBe(depth);
  });
  test("in a Sequential", () => {
    const text = builder(`z = LayerStack {${depth}, i => Tanh} (features)`);
    expect(countOf(text, "Tanh")).toBe(depth);
  });
  test("composed by >>", () => {
    const text = builder(`c (n) = if n == 1 then Tanh else (c (n - 1) >> Tanh)  z = c (${depth}) (features)`);
    expect(countOf(text, "Tanh")).toBe(depth);
  });
  test("as residual blocks", () => {
    const text = builder(`block (x) = { s = Sigmoid (x) ; y = Plus (s, x) }.y
      z = LayerStack {${depth / 10}, i => block} (features)`);
    expect(countOf(text, "Plus")).toBe(depth / 10);
  });
  test("through a loop that a delay closes", () => {
    const text = builder(`f (n, x) = if n == 0 then x else Tanh (f (n - 1, x))
      z = f (1000, features + PastValue (2, z))`);
    const built = buildText(text);
    expect(nodeNamed(built, "z").op.name).toBe("Tanh");
    expect(built.network.nodes.filter((node) => node.op.name === "PastValue")).toHaveLength(1);
  });
});

describe("ten thousand operands", () => {
  test("of a sum", () => {
    expect(run(`do = Print (0${" + 1".repeat(depth)})`)).toBe(String(depth));
  });
  test("of a list", () => {
    expect(run(`do = Print (Length (0${" : 1".repeat(depth)}))`)).toBe(String(depth + 1));
  });
});

describe("recursion without end is an error", () => {
  test.each([
    ["of a function", "f (n) = f (n + 1) + 1  z = f (0) .* features"],
    ["of records", "r (n) = { m = r (n + 1).m }  z = r (0).m .* features"],
  ])("%s", (_, members) => {
    const error = buildError(builder(members));
    expect(error.code).toBe("nested-too-deeply");
    expect(error.diagnostic.span?.source.name).toBe("test.bs");
  });
});
