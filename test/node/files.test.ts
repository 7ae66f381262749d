import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/index.js";
import { nodeFiles, readLibrarySources } from "../../src/node/index.js";

const folder = mkdtempSync(join(tmpdir(), "cntkts-files-"));
afterAll(() => rmSync(folder, { recursive: true }));
const files = nodeFiles(folder);

function thrown(run: () => unknown): [string, string] {
  try {
    run();
  } catch (error) {
    if (error instanceof CntkError) return [error.code, error.message];
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("writing", () => {
  it("shows nothing at the target before commit, and no leftovers after", () => {
    const file = files.create("deep/er/out.bin");
    file.write("abc");
    file.write(new Uint8Array(1 << 20).fill(120));
    expect(existsSync(join(folder, "deep/er/out.bin"))).toBe(false);
    file.write("z");
    file.commit();
    const bytes = readFileSync(join(folder, "deep/er/out.bin"));
    expect([bytes.length, bytes.subarray(0, 4).toString(), bytes.at(-1)]).toEqual([
      (1 << 20) + 4,
      "abcx",
      122,
    ]);
    expect(readdirSync(join(folder, "deep/er"))).toEqual(["out.bin"]);
  });
  it("keeps the old file when aborted", () => {
    writeFileSync(join(folder, "old"), "old");
    const file = files.create("old");
    file.write("new");
    file.abort();
    expect(readFileSync(join(folder, "old"), "utf8")).toBe("old");
    expect(readdirSync(folder).filter((name) => name.startsWith("old"))).toEqual(["old"]);
  });
  it("copies what it is given", () => {
    const buffer = new Uint8Array([1, 2, 3]);
    const file = files.create("copied");
    file.write(buffer);
    buffer.fill(9);
    file.commit();
    expect([...readFileSync(join(folder, "copied"))]).toEqual([1, 2, 3]);
  });
  it("appends", () => {
    const log = files.log("log");
    log.write("a\n");
    log.write("b\n");
    expect(files.readText("log")).toBe("a\nb\n");
  });
  it("names what it cannot write", () => {
    mkdirSync(join(folder, "directory"), { recursive: true });
    expect(thrown(() => files.create("directory"))).toEqual([
      "file-unwritable",
      "error creating file 'directory': Is a directory",
    ]);
    writeFileSync(join(folder, "plain"), "");
    expect(thrown(() => files.create("plain/below"))[0]).toBe("file-unwritable");
    expect(readdirSync(folder).filter((name) => name.includes("tmp"))).toEqual([]);
  });
});

describe("reading", () => {
  writeFileSync(join(folder, "ten"), "0123456789");
  it("reads pieces, shorter ones at the end", () => {
    const file = files.open("ten");
    const text = (offset: number, length: number) => Buffer.from(file.read(offset, length)).toString();
    expect([file.size, text(2, 3), text(8, 5), text(20, 5)]).toEqual([10, "234", "89", ""]);
    file.close();
  });
  it("reads plain bytes, whose slices are copies", () => {
    const bytes = files.readBytes("ten");
    const slice = bytes.slice(2, 4);
    bytes.fill(0);
    expect([Object.getPrototypeOf(bytes) === Uint8Array.prototype, slice.buffer.byteLength]).toEqual([
      true,
      2,
    ]);
    expect([...slice]).toEqual([50, 51]);
  });
  it("names what is missing or no file, in C's words", () => {
    const missing = ["file-missing", "error opening file 'no/such': No such file or directory"];
    expect(thrown(() => files.readText("no/such"))).toEqual(missing);
    expect(thrown(() => files.open("no/such"))).toEqual(missing);
    expect(thrown(() => files.readBytes("."))).toEqual([
      "file-unreadable",
      "error opening file '.': Is a directory",
    ]);
    expect(thrown(() => files.open("."))).toEqual([
      "file-unreadable",
      "error opening file '.': Is a directory",
    ]);
  });
});

it.runIf(existsSync("/proc/self"))("gives up in a folder that takes no entries", () => {
  expect(thrown(() => files.create("/proc/nothing/below/m.model"))).toEqual([
    "file-unwritable",
    "error creating file '/proc/nothing/below/m.model': No such file or directory",
  ]);
});

it("moves with withDirectory, not with the process", () => {
  mkdirSync(join(folder, "sub"), { recursive: true });
  const sub = files.withDirectory("sub");
  expect([sub.directory, sub.resolve("../x"), sub.exists("../ten"), files.isDirectory("sub")]).toEqual([
    join(folder, "sub"),
    join(folder, "x"),
    true,
    true,
  ]);
  expect(files.modified("nothing")).toBeUndefined();
  expect(files.modified("ten")).toBeGreaterThan(0);
});

it("finds the BrainScript library", () => {
  const sources = readLibrarySources();
  expect(sources.length).toBeGreaterThan(0);
  for (const { name, text } of sources) expect([name.endsWith(".bs"), text.length > 0]).toEqual([true, true]);
});

it.runIf(existsSync("/dev/zero"))("of a device that never ends the beginning is read", () => {
  expect(files.readBytes("/dev/zero").every((byte) => byte === 0)).toBe(true);
  expect(files.readText("/dev/null")).toBe("");
});
