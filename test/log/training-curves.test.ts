import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readTrainings } from "../../src/log/training-curves.js";
import { epochLine, minibatchLine, validationLine } from "../../src/log/training-lines.js";

const criteria = (...sums: (readonly [string, number, number])[]) =>
  sums.map(([name, sum, count]) => ({ name, sum, count }));

/** Two epochs of 200 samples, a line for every 100. */
const lines = [1, 2].flatMap((epoch) => [
  ...[1, 2].map((half) =>
    minibatchLine({
      epoch,
      epochs: 2,
      first: 10 * half - 9,
      last: 10 * half,
      minibatchesPerEpoch: 20,
      criteria: criteria(["ce", 300 / (2 * epoch + half), 100], ["errs", 25, 100]),
      seconds: 2,
      samples: 100,
    }),
  ),
  epochLine({
    epoch,
    epochs: 2,
    criteria: criteria(["ce", 100 * epoch, 200], ["errs", 50, 200]),
    totalSamplesSeen: 200 * epoch,
    learningRatePerSample: 0.5 / epoch,
    seconds: 4,
  }),
  validationLine(epoch, 2, criteria(["ce", 30 * epoch, 40], ["errs", 4, 40])),
]);

describe("curves of a log", () => {
  it("are those that were written", () => {
    const [training, ...others] = readTrainings(lines.join(""));
    expect(others).toEqual([]);
    expect(training).toEqual({
      criteria: ["ce", "errs"],
      percentages: ["errs"],
      minibatches: [
        { at: 0.5, values: [1, 25], samplesPerSecond: 50 },
        { at: 1, values: [0.75, 25], samplesPerSecond: 50 },
        { at: 1.5, values: [0.6, 25], samplesPerSecond: 50 },
        { at: 2, values: [0.5, 25], samplesPerSecond: 50 },
      ],
      epochs: [
        { at: 1, values: [0.5, 25] },
        { at: 2, values: [1, 25] },
      ],
      validations: [
        { at: 1, values: [0.75, 10] },
        { at: 2, values: [1.5, 10] },
      ],
      learningRates: [
        [1, 0.5],
        [2, 0.25],
      ],
    });
  });

  it("are the first process's, whatever stands in front of a line", () => {
    const log = [0, 1].flatMap((rank) =>
      lines.map((line) => `MPI Rank ${rank}: 12/15/2016 08:30:5${rank}: ${line.replace("\n", "\r\n")}`),
    );
    expect(readTrainings(log.join(""))).toEqual(readTrainings(lines.join("")));
  });

  it("begin anew where the count of epochs does; lines of searches and other text are passed over", () => {
    const search = `   AdaptiveMinibatchSearch: ${(lines[0] ?? "").trimStart()}`;
    const log = ["Training 2 parameters\n", ...lines, search, "Epoch[ nonsense\n", ...lines];
    const trainings = readTrainings(log.join(""));
    expect(trainings).toHaveLength(2);
    expect(trainings[1]).toEqual(trainings[0]);
  });

  it("have gaps where there are no numbers", () => {
    const [training] = readTrainings(
      " Epoch[ 1 of 1]-Minibatch[   1-   2]: ce = nan * 8; err = 0.50000000 * 8; time = 0.1s; samplesPerSecond = 80.0\n",
    );
    expect(training?.minibatches).toEqual([{ at: 1, values: [null, 0.5], samplesPerSecond: 80 }]);
  });

  const baseline = fileURLToPath(
    new URL(
      "../../../shared/cntk/Tests/EndToEndTests/ParallelTraining/AsynchronousSGD/baseline.gpu.txt",
      import.meta.url,
    ),
  );
  it.skipIf(!existsSync(baseline))("of CNTK's own (skipped without its tree)", () => {
    const [training, ...others] = readTrainings(readFileSync(baseline, "utf8"));
    expect(others).toEqual([]);
    expect(training?.criteria).toEqual(["CE", "Err"]);
    expect(training?.epochs).toHaveLength(11);
    expect(training?.epochs[0]).toEqual({ at: 2, values: [1.66838453, 0.6256] });
    expect(training?.validations[0]).toEqual({ at: 2, values: [1.79508092, 0.6515] });
    expect(training?.minibatches[1]?.values).toEqual([1.81491913, 0.70746528]);
    expect(training?.minibatches[1]?.at).toBeCloseTo(1 + 1280 / 25000, 12);
  });
});
