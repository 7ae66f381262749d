import { CntkError } from "../diagnostics/diagnostic.js";
import { renderPlace } from "../diagnostics/render.js";
import { ConfigSection } from "./config-section.js";
import type { MappedText } from "./mapped-text.js";

/** Keys whose value is a program in another language: shown as it stands, never split. */
const programs = new Set([
  "brainscriptnetworkbuilder",
  "experimentalnetworkbuilder",
  "ndlnetworkbuilder",
  "simplenetworkbuilder",
]);

/**
 * The text of `explain --stage config`: every key with the value as written and, where `$x$` changed it, as resolved;
 * sections are nested, and each key says where it was written.
 */
export function printConfiguration(root: ConfigSection): string {
  return [`configuration ${root.name}`, ...printSection(root, root, "  ")].join("\n") + "\n";
}

function printSection(root: ConfigSection, section: ConfigSection, indent: string): string[] {
  return section.keys().flatMap((key) => printEntry(root, section, key, indent));
}

function printEntry(root: ConfigSection, section: ConfigSection, key: string, indent: string): string[] {
  const raw = section.raw(key)!;
  const place = `${indent}# ${renderPlace(section.keySpan(key)!)}`;
  if (/^[[{]/.test(raw.text) && !programs.has(key.toLowerCase())) {
    const nested = ConfigSection.read(raw, `${section.name}:${key}`, section);
    if (nested.diagnostics.length === 0) {
      return [
        place,
        `${indent}${key} = [`,
        ...printSection(root, nested.result, `${indent}  `),
        `${indent}]`,
      ];
    }
  }
  let resolved: MappedText;
  try {
    // Whatever the section, `$x$` is the root's x: a section's whole text is resolved when it is taken from the root.
    resolved = root.resolve(raw);
  } catch (error) {
    if (!(error instanceof CntkError)) throw error;
    return [place, `${indent}${key} = ${raw.text}`, `${indent}  ! ${error.message}`];
  }
  const lines = [place, `${indent}${key} = ${reindent(raw.text, indent)}`];
  const plain = resolved.text.replace(/\n$/, "");
  if (plain !== raw.text) lines.push(`${indent}  → ${reindent(plain, indent)}`);
  return lines;
}

/** Text of several lines keeps its own indentation behind the outer one. */
function reindent(text: string, indent: string): string {
  return text.replace(/\n(?=.)/g, `\n${indent}`);
}
