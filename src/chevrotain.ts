import type * as Chevrotain from "chevrotain";

/**
 * Chevrotain, loaded as the one-file build that its package contains. The package's main entry is several hundred small
 * modules (lodash-es), and reading them takes a quarter of a second at every start. Falls back to the main entry where
 * the file cannot be found (another version, a bundler).
 */
async function loadChevrotain(): Promise<typeof Chevrotain> {
  try {
    const entry = import.meta.resolve("chevrotain");
    const bundle = new URL("../chevrotain.min.mjs", entry).href;
    return (await import(/* @vite-ignore */ bundle)) as typeof Chevrotain;
  } catch {
    return await import("chevrotain");
  }
}

export const chevrotain: typeof Chevrotain = await loadChevrotain();
