import { describe, expect, it } from "vitest";
import { Prefetch } from "../../src/readers/prefetch.js";

/** Numbers up to `count`; tells how many were produced. */
function source(count: number, failAt = -1) {
  const state = { produced: 0 };
  const prefetch = new Prefetch(async () => {
    state.produced++;
    if (state.produced === failAt) throw new Error(`no number ${failAt}`);
    return state.produced > count ? undefined : state.produced;
  });
  return { state, prefetch };
}

const aWhile = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("Prefetch", () => {
  it("prepares one result ahead while its user waits, and no more", async () => {
    const { state, prefetch } = source(9);
    expect(await prefetch.next()).toBe(1);
    await aWhile();
    expect(state.produced).toBe(2);
    await aWhile();
    expect(state.produced).toBe(2);
    expect([await prefetch.next(), await prefetch.next()]).toEqual([2, 3]);
  });

  it("is asked at once when nobody waits, and stops at the end", async () => {
    const { state, prefetch } = source(2);
    expect([await prefetch.next(), await prefetch.next(), await prefetch.next()]).toEqual([1, 2, undefined]);
    await aWhile();
    expect(state.produced).toBe(3);
  });

  it("keeps a failure until its result is asked for", async () => {
    const { prefetch } = source(9, 2);
    expect(await prefetch.next()).toBe(1);
    await aWhile();
    await expect(prefetch.next()).rejects.toThrow("no number 2");
    await prefetch.drop();
    expect(await prefetch.next()).toBe(3);
  });

  it("forgets what it prepared", async () => {
    const { state, prefetch } = source(9);
    await prefetch.next();
    await prefetch.drop();
    await aWhile();
    expect(state.produced).toBe(1);
    await prefetch.next();
    await aWhile();
    await prefetch.drop();
    expect(await prefetch.next()).toBe(4);
  });
});
