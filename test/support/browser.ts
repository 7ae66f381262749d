import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** A browser of this machine that the tests may start. */
const executable = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
].find((path) => existsSync(path));

/** Is there a browser? Without one the tests in it are skipped. */
export const browserIsHere = executable !== undefined;
if (!browserIsHere) console.warn("skipped: no Chromium on this machine (apt-get install chromium)");

/** Starts a headless browser; the caller closes it. */
export function openBrowser(): Promise<Browser> {
  if (executable === undefined) throw new Error("there is no browser");
  return chromium.launch({ executablePath: executable, headless: true, args: ["--no-sandbox"] });
}
