import { describe, expect, it } from "vitest";
import type { Chunk, Deserializer } from "../../src/readers/deserializer.js";
import { LoadedChunks } from "../../src/readers/randomizer/loaded-chunks.js";

/** Chunks of a size in bytes; tells which were loaded and which let go. */
function chunksOf(bytes: number | undefined) {
  const events: string[] = [];
  const load = async (id: number): Promise<Chunk> => {
    events.push(`+${id}`);
    return {
      bytes,
      source: () => {
        throw new Error("has no data");
      },
      release: () => void events.push(`-${id}`),
    };
  };
  const deserializer = { chunk: load } as unknown as Deserializer;
  const chunks = new LoadedChunks(deserializer, false);
  /** What happens when these are wanted. */
  const hold = async (wanted: readonly number[], room?: number): Promise<string> => {
    await chunks.hold(wanted, [], room);
    for (const id of wanted) expect(chunks.get(id)).toBeDefined();
    return events.splice(0).join(" ");
  };
  return { hold };
}

describe("chunks in memory", () => {
  it("go when they are not wanted any more", async () => {
    const { hold } = chunksOf(10);
    expect(await hold([3, 1])).toBe("+3 +1");
    expect(await hold([1, 2])).toBe("-3 +2");
  });

  it("stay as long as one worker alone would hold as many, those wanted last the longest", async () => {
    const { hold } = chunksOf(10);
    expect(await hold([0, 1], 4)).toBe("+0 +1");
    expect(await hold([2, 1], 4)).toBe("+2");
    expect(await hold([0, 3], 4)).toBe("+3");
    // Four are there; the fifth takes the place of the one that was not wanted for the longest time.
    expect(await hold([4, 3], 4)).toBe("-2 +4");
    expect(await hold([1, 0], 4)).toBe("");
  });

  it("do not stay when they are large, or when nobody says how large they are", async () => {
    const large = chunksOf(200 * 2 ** 20);
    await large.hold([0, 1], 4);
    expect(await large.hold([2, 3], 4)).toBe("-0 +2 +3");
    const unknown = chunksOf(undefined);
    await unknown.hold([0, 1], 4);
    expect(await unknown.hold([1, 2], 4)).toBe("-0 +2");
  });
});
