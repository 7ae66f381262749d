import { describe, expect, it } from "vitest";
import { NameIndex, nameIncludes } from "../../src/network/name-index.js";

const long = "z.x".repeat(200);

describe("an index of names", () => {
  it.each(["z.W", long])("finds %s without regard to case", (name) => {
    const index = new NameIndex([[name, 1]]);
    expect(index.get(name.toUpperCase())).toBe(1);
    expect(index.get(`${name}x`)).toBeUndefined();
    index.set(name.toUpperCase(), 2);
    expect([...index.values()]).toEqual([2]);
    index.delete(name);
    expect(index.has(name)).toBe(false);
  });

  it("keeps long names apart that have the same number", () => {
    // 31 · "q" + "@" = 31 · "p" + "_".
    const [one, other] = [`${long}q@`, `${long}p_`];
    const index = new NameIndex([
      [one, "one"],
      [other, "other"],
    ]);
    expect(index.get(one)).toBe("one");
    expect(index.get(other)).toBe("other");
    index.delete(one);
    expect(index.get(one)).toBeUndefined();
    expect(index.get(other)).toBe("other");
  });

  it("looks for a text in a name", () => {
    expect(nameIncludes("a:b", ":")).toBe(true);
    expect(nameIncludes("ab", ":")).toBe(false);
  });
});
