import { describe, expect, it } from "vitest";
import type { Source, Span } from "../../src/diagnostics/index.js";
import { renderDiagnostic } from "../../src/diagnostics/index.js";

const source: Source = { name: "net.cntk", text: "a = 1\r\n\tz = Relu (x)\r\nlast" };

function spanOfText(text: string, inSource: Source = source): Span {
  const start = inSource.text.indexOf(text);
  return { source: inSource, start, end: start + text.length };
}

describe("renderDiagnostic", () => {
  it("shows message, place, source line, mark, label, calls and hint", () => {
    const rendered = renderDiagnostic({
      code: "unknown-identifier",
      level: "error",
      message: "unknown identifier 'Relu'",
      span: spanOfText("Relu"),
      label: "nothing of this name here",
      calls: [{ span: spanOfText("last"), label: "in the call of model" }, { span: spanOfText("a = 1") }],
      hint: "did you mean 'ReLU'?",
    });
    expect(rendered).toMatchInlineSnapshot(`
      "error: unknown identifier 'Relu'
        at net.cntk:2:6
       2 | 	z = Relu (x)
         | 	    ^~~~ nothing of this name here
        in the call of model at net.cntk:3:1
       3 | last
         | ^~~~
        demanded at net.cntk:1:1
       1 | a = 1
         | ^~~~~
      hint: did you mean 'ReLU'?"
    `);
  });

  it("shows the message alone where there is no text", () => {
    const rendered = renderDiagnostic({ code: "file-missing", level: "warning", message: "no such file" });
    expect(rendered).toBe("warning: no such file");
  });

  it("marks the end of the text", () => {
    const end = source.text.length;
    const rendered = renderDiagnostic({
      code: "c",
      level: "error",
      message: "m",
      span: { source, start: end, end },
    });
    expect(rendered.split("\n")).toEqual(["error: m", "  at net.cntk:3:5", " 3 | last", "   |     ^"]);
  });

  it("marks only the first line of a span over several lines", () => {
    const span = { source, start: source.text.indexOf("Relu"), end: source.text.length };
    const rendered = renderDiagnostic({ code: "c", level: "error", message: "m", span });
    expect(rendered.split("\n")).toEqual([
      "error: m",
      "  at net.cntk:2:6",
      " 2 | \tz = Relu (x)",
      "   | \t    ^~~~~~~~",
    ]);
  });

  it("cuts a long line to the surroundings of the mark", () => {
    const long: Source = { name: "long.cntk", text: "x".repeat(5000) + "HERE" + "y".repeat(5000) };
    const lines = renderDiagnostic({
      code: "c",
      level: "error",
      message: "m",
      span: spanOfText("HERE", long),
    }).split("\n");
    expect(lines[2]!.length).toBeLessThan(140);
    expect(lines[2]!.slice(lines[3]!.indexOf("^")).startsWith("HERE")).toBe(true);
    expect(lines[3]!.endsWith("^~~~")).toBe(true);
  });

  it("shortens a long chain of calls", () => {
    const calls = Array.from({ length: 20 }, (_, index) => ({
      span: spanOfText("last"),
      label: `call ${index}`,
    }));
    const rendered = renderDiagnostic({ code: "c", level: "error", message: "m", calls });
    expect(rendered).toContain("call 6 at");
    expect(rendered).not.toContain("call 7 at");
    expect(rendered).toContain("… 12 more …");
    expect(rendered).toContain("call 19 at");
  });

  it("shows the user's own steps, not those through the library", () => {
    const library: Source = { name: "<library>/layers.bs", text: "f (x) = g (x)" };
    const inside = { span: spanOfText("g (x)", library), label: "in the call of g" };
    const own = { span: spanOfText("last"), label: "in the call of f" };
    const calls = [own, inside, inside, inside, own, inside, own];
    expect(renderDiagnostic({ code: "c", level: "error", message: "m", calls }).split(/\n {2}(?! )/)).toEqual(
      [
        "error: m",
        "in the call of f at net.cntk:3:1\n 3 | last\n   | ^~~~",
        "… 3 steps through the library …",
        "in the call of f at net.cntk:3:1\n 3 | last\n   | ^~~~",
        "in the call of g at <library>/layers.bs:1:9\n 1 | f (x) = g (x)\n   |         ^~~~~",
        "in the call of f at net.cntk:3:1\n 3 | last\n   | ^~~~",
      ],
    );
  });
});
