import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatDate, formatStamp, RunLog } from "../../src/log/run-log.js";
import { banner, buildInfo, commandHeader } from "../../src/log/start-up.js";

const time = new Date(2017, 5, 21, 14, 3, 9);

function logged(write: (log: RunLog) => void, timestamping = false): string {
  let text = "";
  const log = new RunLog({ write: (part) => void (text += part) }, () => time);
  log.timestamping = timestamping;
  write(log);
  return text;
}

it("dates stand as in CNTK's banner and stamps", () => {
  expect([formatDate(time), formatStamp(time)]).toEqual(["2017/06/21 14:03:09", "06/21/2017 14:03:09: "]);
});

it("the banner has the command line, words parted by two blanks", () => {
  const words = ["cntkts", "configFile=a.cntk", "x=1"];
  expect(banner({ version: "0.1.0", host: "HOST", time, words })).toBe(
    "cntkts 0.1.0 on HOST at 2017/06/21 14:03:09\n\ncntkts  configFile=a.cntk  x=1\n",
  );
});

it("the build block says what computes and why", () => {
  const facts = { mathLibrary: "tfjs wasm", notes: ["tfjs-node is not installed"], node: "20.0.0" };
  const lines = logged((log) => buildInfo(log, facts)).split("\n");
  const dashes = "-".repeat(67);
  expect([lines[0], lines[1], lines.at(-2)]).toEqual([dashes, "Build info: ", dashes]);
  expect(lines).toContain("\t\tMath lib: tfjs wasm");
  expect(lines).toContain("\t\tMath lib: tfjs-node is not installed");
});

describe("the frame above an action", () => {
  it("is CNTK's", () => {
    const recorded = readFileSync("test/fixtures/conformance/mnist/07-double/log.txt", "utf8");
    for (const [command, action] of [
      ["trainNetwork", "train"],
      ["testNetwork", "test"],
    ] as const) {
      const frame = logged((log) => commandHeader(log, command, action));
      expect(frame.split("\n")).toHaveLength(8);
      expect(recorded).toContain(frame);
    }
  });
  it("bears stamps line by line", () => {
    const lines = logged((log) => commandHeader(log, "a", "train"), true).split("\n");
    expect(lines.slice(1, 6).every((line) => line.startsWith("06/21/2017 14:03:09: #"))).toBe(true);
  });
});

describe("the log of a run", () => {
  it("stamps before a newline that begins a text, as CNTK", () => {
    expect(logged((log) => log.stamped("\nCreating virgin network.\n"), true)).toBe(
      "06/21/2017 14:03:09: \nCreating virgin network.\n",
    );
    expect(logged((log) => log.write("plain\n"), true)).toBe("plain\n");
    expect(logged((log) => log.stamped("plain\n"))).toBe("plain\n");
  });
  it("goes on elsewhere after a redirection", () => {
    let second = "";
    const first = logged((log) => {
      log.write("a");
      log.redirect({ write: (text) => void (second += text) });
      log.write("b");
    });
    expect([first, second]).toEqual(["a", "b"]);
  });
});
