import { type UpdateOptions, type UpdateRule, updateRuleFor } from "../../src/updates/index.js";
import type { OptionSource } from "../../src/updates/index.js";

type Value = number | boolean;

/** Options as an SGD section has them, from a record. */
export function optionSource(values: Readonly<Record<string, Value>> = {}): OptionSource {
  const read = (key: string, fallback: number): number => {
    const value = values[key] ?? fallback;
    if (typeof value !== "number") throw new Error(`${key} is not a number`);
    return value;
  };
  return {
    number: read,
    size: read,
    boolean: (key, fallback) => {
      const value = values[key] ?? fallback;
      if (typeof value !== "boolean") throw new Error(`${key} is not a boolean`);
      return value;
    },
  };
}

/** The update rule of a word of gradUpdateType, with options by the keys of an SGD section. */
export function ruleOf(word = "none", values: Readonly<Record<string, Value>> = {}): UpdateRule {
  const source = optionSource(values);
  const entry = updateRuleFor(word, source);
  if (!entry) throw new Error(`there is no update rule ${word}`);
  return entry.rule(source);
}

/** Momentum SGD without penalties and clipping. */
export const plainOptions: UpdateOptions = {
  rule: ruleOf(),
  l1Weight: 0,
  l2Weight: 0,
  clippingThresholdPerSample: Infinity,
  clippingWithTruncation: true,
};
