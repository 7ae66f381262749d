import { describe, expect, it } from "vitest";
import { parseBrainScript, plainText, treeAsText, treeFromText } from "../../grammar/index.js";
import type { Source } from "../../src/diagnostics/source.js";

const whole: Source = {
  name: "whole.bs",
  text: 'a (x, n = 2) = { y = -1.5 ; t = "span" }\ninclude "part.bs"\n',
};
const part: Source = {
  name: "part.bs",
  text: "b = array[1..3](i => if i > 2 then new C [ v = (i : 1) ] else m.n[0])",
};

function parsed() {
  const { result } = parseBrainScript(plainText(whole), { load: () => plainText(part) });
  if (!result) throw new Error("the text is wrong");
  return result;
}

function today(sources: readonly Source[]) {
  return (name: string): Source | undefined => sources.find((source) => source.name === name);
}

describe("a tree as text", () => {
  it("comes back as it was, with places in today's texts", () => {
    const program = parsed();
    const restored = treeFromText(treeAsText(program), today([whole, part]));
    expect(restored).toEqual(program);
    expect(restored?.members[0]?.nameSpan.source).toBe(whole);
    expect(restored?.members.at(-1)?.value.span.source).toBe(part);
  });

  it("does not count once one of its texts has changed or is gone", () => {
    const text = treeAsText(parsed());
    expect(treeFromText(text, today([whole, { ...part, text: `${part.text} ` }]))).toBeUndefined();
    expect(treeFromText(text, today([whole]))).toBeUndefined();
  });
});
