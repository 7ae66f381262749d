import { describe, expect, it } from "vitest";
import { groupNodes, layerPath } from "../../src/view/groups.js";

/** Nodes of these names, one behind the other. */
const chain = (names: readonly string[]) => names.map((name) => ({ name, isFolded: false }));

describe("groups of nodes", () => {
  it.each([
    ["z.conv1.c.W", ["z", "conv1", "c", "W"]],
    ["z.x.x.b.x._.x.c", ["z.x.x", "b.x", "_.x", "c"]],
    ["x", ["x"]],
    ["model.arrayOfFunctions[2].F.lstm.B", ["model", "arrayOfFunctions[2]", "F", "lstm", "B"]],
  ])("follow the layers in %s", (name, path) => {
    expect(layerPath(name)).toEqual(path);
  });

  it("hold what their names begin with, and their own value; single members stand for themselves", () => {
    const groups = groupNodes(chain(["in", "a.c.w", "a.c.v", "a.r", "a", "b.only", "out"]));
    const names = ["in", "a.c.w", "a.c.v", "a.r", "a", "b.only", "out"];
    expect(
      groups.map(({ label, parent, nodes }) => [label, parent, nodes.map((node) => names[node])]),
    ).toEqual([
      ["", undefined, ["in", "out", "b.only"]],
      ["a", 0, ["a.r", "a"]],
      ["a.c", 1, ["a.c.w", "a.c.v"]],
    ]);
    expect(groups.every(({ open }) => open)).toBe(true);
  });

  it("leave out what is folded into others", () => {
    const nodes = chain(["a.W", "a.b", "a.t"]).map((node, index) => ({ ...node, isFolded: index === 0 }));
    expect(groupNodes(nodes).flatMap((group) => group.nodes)).toEqual([1, 2]);
  });

  it("of a deep network are closed, so that it can be seen", () => {
    const block = (at: number): string[] =>
      ["c1.c", "c1.b", "c1.r", "c2.c", "c2.b", "p", "r"].map((part) => `z.layer${at}.${part}`);
    const groups = groupNodes(chain(Array.from({ length: 50 }, (_, at) => block(at)).flat()));
    // Not z itself, outside of which there is nothing.
    expect(groups.filter(({ open }) => open).map(({ label }) => label)).toEqual(["", "z"]);
    const shown = groups.filter(({ open, parent }) => !open && groups[parent ?? 0]?.open).length;
    expect(shown).toBe(50);
  });

  it.each([1000, 20_000])("of %i nodes without layers' names follow each other", (count) => {
    // Names in another order than that of evaluation.
    const names = Array.from({ length: count }, (_, at) => `Plus${(at * 7919) % count}`);
    const groups = groupNodes(chain(names));
    const members = groups.map(
      (group, index) => group.nodes.length + groups.filter(({ parent }) => parent === index).length,
    );
    expect(Math.max(...members)).toBeLessThanOrEqual(60);
    expect(groups.flatMap(({ nodes }) => nodes).sort((a, b) => a - b)).toEqual(names.map((_, at) => at));
    // A run of a chain is a run.
    for (const { nodes } of groups.filter((group) => group.nodes.length > 0))
      expect(Math.max(...nodes) - Math.min(...nodes)).toBe(nodes.length - 1);
  });

  it("of names with thousands of parts", () => {
    const name = "a.".repeat(40_000);
    expect(groupNodes(chain([`${name}b`, `${name}c`])).flatMap(({ nodes }) => nodes)).toHaveLength(2);
  });
});
