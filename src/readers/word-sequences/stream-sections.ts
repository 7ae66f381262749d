import type { ConfigSection } from "../../config/config-section.js";

/** The sections of a reader of words that describe streams, each list in the order of names. */
export interface StreamSections {
  readonly features: readonly string[];
  readonly labels: readonly string[];
}

const labelKeys = ["labelMappingFile", "labelDim", "labelType"];

/**
 * Tells the streams of a reader's section apart: a section with one of the keys of labels is one of labels, another one
 * with `dim` one of features. Source: Common/Config.cpp, GetFileConfigNames.
 */
export function streamSections(section: ConfigSection): StreamSections {
  const features: string[] = [];
  const labels: string[] = [];
  for (const key of section.keys()) {
    if (!section.raw(key)?.text.trimStart().startsWith("[")) continue;
    const inner = section.section(key);
    const isLabel =
      labelKeys.some((name) => inner.hasOwn(name)) ||
      (inner.hasOwn("sectionType") && inner.string("sectionType") === "labels");
    if (isLabel) labels.push(key);
    else if (inner.hasOwn("dim")) features.push(key);
  }
  return { features, labels };
}
