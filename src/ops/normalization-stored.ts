import { type Fields, type FieldValue, field, type StoredLayout } from "../network/stored-fields.js";
import { imageLayout } from "./stored-parts.js";

/** Oldest of batch normalization's own version numbers, which stood in files before version 6. */
const oldestInner = 0x00010001;
const innerAtLeast =
  (steps: number) =>
  ({ innerVersion }: Fields): boolean =>
    innerVersion === undefined || Number(innerVersion) >= oldestInner + steps;

export const storedNormalization: StoredLayout = {
  fields: [
    field("innerVersion", "signed4", { until: 6, valid: (version) => Number(version) >= oldestInner }),
    field("innerReadable", "signed4", {
      until: 6,
      valid: (readable, { innerVersion }) =>
        Number(readable) <= Number(innerVersion) && Number(readable) <= oldestInner + 3,
    }),
    field("evaluation", "boolean", { until: 6 }),
    field("spatial", "boolean", { otherwise: false }),
    field("normalizationTimeConstant", "float8", { otherwise: 0 }),
    field("blendTimeConstant", "float8", { since: 6, otherwise: 0 }),
    imageLayout({ when: innerAtLeast(1) }),
    // Version 19 said only whether the count is 0.
    field("runCountIsZero", "boolean", { since: 19, until: 20 }),
    field("runCount", "unsigned8", {
      when: (before) => before["runCountIsZero"] === undefined && innerAtLeast(1)(before),
      wide: true,
      otherwise: 0,
    }),
    field("epsilon", "float8", { when: innerAtLeast(2), otherwise: 0.00001 }),
    field("useCntkEngine", "boolean", { when: innerAtLeast(2), otherwise: true }),
  ],
  upgrade(old, version) {
    const fields: Record<string, FieldValue> = { ...old };
    if (version < 6 && !innerAtLeast(3)(old)) fields["normalizationTimeConstant"] = 0;
    // "Not zero, but unknown" is the largest number.
    if (version === 19) fields["runCount"] = old["runCountIsZero"] === true ? 0 : 2n ** 64n - 1n;
    // The count has moved into a parameter, which starts anew.
    if (version < 19) fields["runCount"] = 0;
    return fields;
  },
  downgrade(today, version) {
    if (version === 19) return { ...today, runCountIsZero: today["runCount"] === 0 };
    return version < 6
      ? { ...today, innerVersion: oldestInner + 3, innerReadable: oldestInner, evaluation: false }
      : today;
  },
  // The number of samples stands in a parameter today; up to version 18 it is lost when a file is read, in 19 all but whether it is 0.
  forgotten: ["runCount"],
  downgradeInputs(inputs, version) {
    // 1/deviation in place of the variance would not come back as the same number.
    if (version < 13) return "other";
    return version < 19 ? inputs.slice(0, 5) : inputs;
  },
  upgradeInputs(inputs, version) {
    // Up to version 12 the fifth input held 1/deviation s: the variance is 1/s² - or rather, as CNTK has it, 1/s² + epsilon.
    const variance = (s: number, { epsilon }: Fields): number => 1 / (s * s) + Number(epsilon);
    const upgraded = inputs.map((name, index) =>
      index === 4 && version < 13 ? { name, convert: variance } : { name },
    );
    return version < 19 ? [...upgraded, { newParameter: "run_sample_count" }] : upgraded;
  },
};
