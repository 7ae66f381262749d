import type { Span } from "../diagnostics/source.js";
import { ConfigSection, readArray } from "./config-section.js";

/** Is the value of a key a section or a list of them? */
export function opensSection(section: ConfigSection, key: string): boolean {
  return /^\s*[[{(]/.test(section.raw(key)?.text ?? "");
}

/** The sections that a value is: one in brackets, or several in parentheses. */
export function sectionsOf(section: ConfigSection, key: string): ConfigSection[] {
  const text = section.raw(key)?.trimBlanks();
  if (!text) return [];
  if (/^[[{]/.test(text.text)) return [section.section(key)];
  if (!text.text.startsWith("(")) return [];
  const items = readArray(section.text(key)).filter((item) => /^[[{]/.test(item.text));
  return items.map((item) => ConfigSection.read(item, `${section.name}:${key}`, section).result);
}

/** Where a section, or one inside of it, gives this value; undefined where none does. */
export function placeOfValue(section: ConfigSection, value: string): Span | undefined {
  for (const key of section.keys()) {
    if (opensSection(section, key)) {
      for (const inner of sectionsOf(section, key)) {
        const span = placeOfValue(inner, value);
        if (span) return span;
      }
    } else if (section.optionalText(key)?.text === value) return section.raw(key)?.spanOf();
  }
  return undefined;
}
