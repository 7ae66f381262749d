import { describe, expect, it } from "vitest";
import { formatProgress, formatSeconds, ProgressBar } from "../../src/cli/progress-bar.js";

const half = {
  phase: "train",
  epoch: 2,
  epochs: 3,
  samples: 30000,
  totalSamples: 60000,
  seconds: 10,
} as const;

describe("formatProgress", () => {
  it("shows epoch, bar, share, rate and time left", () => {
    expect(formatProgress(half)).toBe(
      "epoch 2 of 3  [████████████░░░░░░░░░░░░]  50%  3,000 samples/s  0:10 left",
    );
  });
  it("shows what it knows when the total is not known", () => {
    expect(formatProgress({ phase: "test", samples: 500, seconds: 2 })).toBe(
      "testing  500 samples  250 samples/s",
    );
  });
});

it("formatSeconds", () => expect([0.4, 61, 3723].map(formatSeconds)).toEqual(["0:00", "1:01", "1:02:03"]));

describe("ProgressBar", () => {
  function screen(isTTY: boolean) {
    let written = "";
    let time = 0;
    const terminal = { isTTY, columns: 200, write: (text: string) => (written += text) };
    const bar = new ProgressBar(terminal, () => time);
    return { bar, log: bar.above(terminal), text: () => written, tick: (ms: number) => (time += ms) };
  }
  const erase = "\r\u001b[2K";

  it("stays below the log", () => {
    const { bar, log, text, tick } = screen(true);
    log.write("first\n");
    bar.update(half);
    log.write("second\n");
    tick(200);
    bar.update({ ...half, samples: 60000 });
    bar.clear();
    const [before, drawn, after, drawnAgain, end] = text().split(erase);
    expect([before, drawn, after, drawnAgain, end]).toEqual([
      "first\n",
      formatProgress(half),
      "second\n",
      formatProgress({ ...half, samples: 60000 }),
      "",
    ]);
  });
  it("does not tear an unfinished line apart", () => {
    const { bar, log, text } = screen(true);
    log.write("unfinished ");
    bar.update(half);
    log.write("line\n");
    expect(text()).toBe("unfinished line\n");
  });
  it("redraws at most ten times a second", () => {
    const { bar, text, tick } = screen(true);
    for (let samples = 1; samples <= 1000; samples++) {
      bar.update({ ...half, samples });
      tick(1);
    }
    expect(text().split(erase).length - 1).toBeLessThanOrEqual(10);
  });
  it("writes nothing where there is no terminal", () => {
    const { bar, log, text } = screen(false);
    bar.update(half);
    log.write("log\n");
    bar.clear();
    expect(text()).toBe("log\n");
  });
});
