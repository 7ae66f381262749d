import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  average,
  criteriaText,
  type CriterionSum,
  epochHeader,
  epochLine,
  evaluationLine,
  minibatchLine,
} from "../../src/log/training-lines.js";

/** Lines that CNTK 2.0 printed, taken apart into their numbers and put together again by our formatters. */
function recorded(path: string, pattern: RegExp): string[] {
  const log = readFileSync(`test/fixtures/conformance/${path}/log.txt`, "utf8");
  return log.split("\n").filter((line) => pattern.test(line));
}

/** `rmse = 0.33039278 * 64; errs = 9.5% * 64` as sums. */
function criteriaOf(text: string): CriterionSum[] {
  return Array.from(
    text.matchAll(/(\w+) = ([-\d.e+]+)(%?) \* (\d+)/g),
    ([, name = "", value, percent, count]) => ({
      name,
      sum: (Number(value) / (percent ? 100 : 1)) * Number(count),
      count: Number(count),
    }),
  );
}

const minibatch =
  /^ Epoch\[ ?(\d+) of (\d+)\]-Minibatch\[ *(\d+)- *(\d+)(?:, ([\d.]+)%)?\]: (.*; )time = ([\d.e-]+)s; samplesPerSecond = ([\d.]+)$/;

function rebuiltMinibatchLine(line: string, minibatchesPerEpoch: number): string {
  const [, epoch, epochs, first, last, percent, criteria = "", time] = minibatch.exec(line) ?? [];
  const rebuilt = minibatchLine({
    epoch: Number(epoch),
    epochs: Number(epochs),
    first: Number(first),
    last: Number(last),
    minibatchesPerEpoch: percent === undefined ? undefined : minibatchesPerEpoch,
    criteria: criteriaOf(criteria),
    seconds: Number(time),
    samples: 0,
  });
  // The rate comes from more digits of the time than the line shows.
  return rebuilt.replace(/samplesPerSecond = .*\n$/, line.slice(line.indexOf("samplesPerSecond")));
}

describe("minibatch lines", () => {
  it.each([
    ["mnist/07-double", 100, 30],
    ["mnist/01-double", 100, 20],
    ["sgd/plain-double", 400, 33],
    ["sgd/many-criteria", 400, 22],
    ["sgd/order-as-is", 400, 33],
    ["sgd/show-every", 1000 / 70, 30],
  ])("of %s (%d minibatches an epoch) come out as printed", (path, minibatchesPerEpoch, count) => {
    const lines = recorded(path, /^ Epoch\[/);
    expect(lines).toHaveLength(count);
    for (const line of lines) expect(rebuiltMinibatchLine(line, minibatchesPerEpoch)).toBe(line);
  });
  it("cover small and large numbers, percentages and none", () => {
    const text = recorded("sgd/many-criteria", /^ Epoch\[/).join("\n");
    for (const part of ["tiny = 7.12062016e-08 * 25", "big = 712062.72802977 * 25", "errs = 52.000% * 25"]) {
      expect(text).toContain(part);
    }
    expect(text).toMatch(/\[ {3}1- {3}1\]/);
    expect(text).toMatch(/\[ 351- 400, 100\.00%\]/);
  });
  it("show more digits of the percentage when an epoch is long", () => {
    const line = (minibatchesPerEpoch: number) =>
      minibatchLine({
        epoch: 1,
        epochs: 3,
        first: 1,
        last: 1,
        minibatchesPerEpoch,
        criteria: [],
        seconds: 0.5,
        samples: 64,
      });
    // 60,000 samples in minibatches of 64, as the documented log of 07 has it, and of 1.
    expect(line(937.5)).toContain("Minibatch[   1-   1, 0.11%]: time = 0.5000s; samplesPerSecond = 128.0\n");
    expect(line(60000)).toContain("Minibatch[   1-   1, 0.002%]");
    // The first epoch had no samples: recorded from CNTK, whose criterion saw none.
    expect(line(0)).toContain("Minibatch[   1-   1, 0.00%]");
  });
});

describe("epoch lines", () => {
  it.each(["mnist/07-double", "mnist/01-double", "sgd/many-criteria", "sgd/minibatch-schedule"])(
    "of %s come out as printed",
    (path) => {
      const pattern =
        /^Finished Epoch\[ ?(\d+) of (\d+)\]: \[Training\] (.*; )totalSamplesSeen = (\d+); learningRatePerSample = ([\d.e-]+); epochTime=([\d.]+)s$/;
      const lines = recorded(path, /^Finished Epoch.*Training/);
      expect(lines.length).toBeGreaterThan(1);
      for (const line of lines) {
        const [, epoch, epochs, criteria = "", seen, rate, seconds] = pattern.exec(line) ?? [];
        const rebuilt = epochLine({
          epoch: Number(epoch),
          epochs: Number(epochs),
          criteria: criteriaOf(criteria),
          totalSamplesSeen: Number(seen),
          learningRatePerSample: Number(rate),
          seconds: Number(seconds),
        });
        expect(rebuilt).toBe(`${line}\n`);
      }
    },
  );
  it("headers come out as printed", () => {
    const pattern =
      /^Starting Epoch (\d+): learning rate per sample = ([\d.]+) {2}effective momentum = ([\d.]+) {2}momentum as time constant = ([\d.]+) samples$/;
    for (const path of ["mnist/07-double", "sgd/nan", "sgd/momentum-none", "sgd/minibatch-schedule"]) {
      for (const line of recorded(path, /^Starting Epoch/)) {
        const [epoch = 0, ...numbers] = (pattern.exec(line) ?? []).slice(1).map(Number);
        expect(epochHeader(epoch, numbers[0]!, numbers[1]!, numbers[2]!)).toBe(`${line}\n`);
      }
    }
  });
});

describe("test lines", () => {
  it("come out as printed", () => {
    for (const path of ["mnist/07-double", "sgd/plain-double", "sgd/many-criteria"]) {
      for (const line of recorded(path, /^Minibatch\[/)) {
        const [, first, last, criteria = ""] = /^Minibatch\[(\d+)-(\d+)\]: (.*)$/.exec(line) ?? [];
        expect(evaluationLine(Number(first), Number(last), criteriaOf(criteria), false)).toBe(`${line}\n`);
      }
    }
  });
  it("the last one adds perplexity behind cross entropies", () => {
    const criteria = [
      { name: "errs", sum: 775, count: 10000, perplexity: false },
      { name: "ce", sum: 2408.6078, count: 10000, perplexity: true },
    ];
    expect(evaluationLine(1, 10, criteria, true)).toMatch(
      /^Final Results: Minibatch\[1-10\]: errs = 7\.750% \* 10000; ce = 0\.24086078 \* 10000; perplexity = 1\.272343\d\d\n$/,
    );
    expect(criteriaText(criteria, false)).toBe("errs = 7.750% * 10000; ce = 0.24086078 * 10000");
  });
  it("no samples make an average of 0", () => {
    expect(average({ name: "ce", sum: 0, count: 0 })).toBe(0);
    expect(criteriaText([{ name: "ce", sum: 0, count: 0 }], false)).toBe("ce = 0.00000000 * 0");
  });
});
