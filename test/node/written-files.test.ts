import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/index.js";
import { writeWhole } from "../../src/files/file-access.js";
import { nodeFiles } from "../../src/node/index.js";
import { endsInTime } from "../support/program.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const folder = temporaryFolder();
const files = nodeFiles(folder);
const inFolder = (name: string) => join(folder, name);
const write = (path: string, text: string) => writeWhole(files, path, (file) => file.write(text));
const hasFifos = spawnSync("mkfifo", ["--version"], endsInTime).status === 0;

function complaint(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CntkError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error("nothing was wrong");
}

describe("what is no regular file", () => {
  it.runIf(existsSync("/dev/full"))("a device is written to and stays a device", () => {
    write("/dev/null", "gone");
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
    const full = "file-unwritable: error writing file '/dev/full': No space left on device";
    expect(complaint(() => write("/dev/full", "text"))).toBe(full);
    expect(complaint(() => files.log("/dev/full").write("text"))).toBe(full);
    expect(statSync("/dev/full").isCharacterDevice()).toBe(true);
    expect(readdirSync("/dev").filter((name) => name.includes(".tmp-"))).toEqual([]);
  });
  it.runIf(hasFifos)("a pipe is written to and stays a pipe", async () => {
    execFileSync("mkfifo", [inFolder("pipe")], endsInTime);
    const reader = spawn("cat", [inFolder("pipe")], endsInTime);
    let read = "";
    reader.stdout.on("data", (piece: Buffer) => (read += piece.toString()));
    write("pipe", "through the pipe");
    await new Promise((resolve) => reader.on("close", resolve));
    expect([read, lstatSync(inFolder("pipe")).isFIFO()]).toEqual(["through the pipe", true]);
  });
  it.runIf(hasFifos)("a log whose reader has gone ends quietly", () => {
    execFileSync("mkfifo", [inFolder("log-pipe")], endsInTime);
    // Opened for reading and writing, a pipe waits for nobody.
    const reader = openSync(inFolder("log-pipe"), "r+");
    const log = files.log("log-pipe");
    log.write("heard\n");
    closeSync(reader);
    log.write("unheard\n");
    log.write("unheard\n");
    log.close();
  });
  it("a symbolic link stays, the file behind it is replaced", () => {
    mkdirSync(inFolder("real"));
    writeFileSync(inFolder("real/model"), "old");
    symlinkSync("real/model", inFolder("link"));
    symlinkSync("link", inFolder("second-link"));
    const before = statSync(inFolder("real/model")).ino;
    write("second-link", "new");
    expect(readFileSync(inFolder("real/model"), "utf8")).toBe("new");
    expect(statSync(inFolder("real/model")).ino).not.toBe(before);
    expect([readlinkSync(inFolder("second-link")), readlinkSync(inFolder("link"))]).toEqual([
      "link",
      "real/model",
    ]);
  });
  it("a link to a file that is not there yet makes it, one that leads in a circle is named", () => {
    symlinkSync("real/later", inFolder("early"));
    write("early", "text");
    expect(readFileSync(inFolder("real/later"), "utf8")).toBe("text");
    symlinkSync("circle", inFolder("circle"));
    expect(complaint(() => write("circle", ""))).toBe(
      "file-unwritable: error creating file 'circle': Too many levels of symbolic links",
    );
  });
});

it("a replaced file keeps its permissions", () => {
  writeFileSync(inFolder("private"), "old", { mode: 0o600 });
  write("private", "new");
  expect(statSync(inFolder("private")).mode & 0o777).toBe(0o600);
});

describe("what killed processes left", () => {
  /** The name that a process gives a file it is writing, learned from a process that is killed while it writes. */
  function leave(target: string, pid: number): string {
    const file = files.create(target);
    const [name] = readdirSync(folder).filter((entry) => entry.startsWith(`${target}.tmp-`));
    file.abort();
    const renamed = name!.replace(`tmp-${process.pid}-`, `tmp-${pid}-`);
    writeFileSync(inFolder(renamed), "half of it");
    return renamed;
  }
  const left = () => readdirSync(folder).filter((name) => name.includes("tmp"));
  const goneProcess = () => spawnSync(process.execPath, ["-e", ""], endsInTime).pid;

  it("is cleared when the same file is written again", () => {
    leave("m.model", goneProcess());
    leave("m.model", process.pid);
    write("m.model", "whole");
    expect(left()).toEqual([]);
  });
  it("stays when its writer lives, when it is another file's, or only looks like one", () => {
    const writer = spawn("sleep", ["60"]);
    const alive = leave("n.model", writer.pid!);
    const another = leave("n.model.1", goneProcess());
    writeFileSync(inFolder("n.model.tmp"), "");
    writeFileSync(inFolder("n.model.tmp-12-3-notes.txt"), "");
    const open = files.create("n.model");
    write("n.model", "whole");
    open.write("also whole");
    open.commit();
    expect(left().sort()).toEqual([alive, another, "n.model.tmp", "n.model.tmp-12-3-notes.txt"].sort());
    writer.kill();
  });
  it("of another machine is cleared when a day has passed", () => {
    const elsewhere = (name: string) => name.replace(/[0-9a-f]{8}$/, "00000000");
    writeFileSync(inFolder(elsewhere(leave("o.model", process.pid))), "");
    write("o.model", "whole");
    const name = left().find((entry) => entry.startsWith("o.model"))!;
    expect(name).toMatch(/-00000000$/);
    utimesSync(inFolder(name), 1, 1);
    write("o.model", "whole");
    expect(left().filter((entry) => entry.startsWith("o.model"))).toEqual([]);
  });
});
