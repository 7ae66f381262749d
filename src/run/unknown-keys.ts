import type { Command } from "../actions/action.js";
import type { ConfigSection } from "../config/config-section.js";
import { opensSection, sectionsOf } from "../config/nested-sections.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { suggest } from "../diagnostics/suggest.js";
import {
  autoAdjustKeys,
  ndlKeys,
  outerKeys,
  parallelKeys,
  readerKeys,
  sgdKeys,
  simpleNetworkKeys,
  streamKeys,
} from "./known-keys.js";

/**
 * The keys of a configuration that nobody reads, as warnings: CNTK passes over them in silence, misspelt ones too. What is
 * pasted in somewhere as `$key$` is read. Beside the commands, where users keep variables, only what looks like a known key
 * is reported.
 */
export function unknownKeys(root: ConfigSection, commands: readonly Command[], text: string): Diagnostic[] {
  const search = new KeySearch(text);
  const names = commands.map(({ name }) => name);
  search.look(root, "the configuration", outerKeys, {
    also: [...root.keys().filter(isSection), ...names],
    near: true,
  });
  for (const { name, section } of commands) search.command(name, section);
  return search.found;

  function isSection(key: string): boolean {
    return opensSection(root, key);
  }
}

interface LookOptions {
  /** Names that are known in this section only. */
  readonly also?: readonly string[];
  /** Only keys that are nearly a known one. */
  readonly near?: boolean;
}

class KeySearch {
  readonly found: Diagnostic[] = [];
  /** Places that have been looked at: several commands share a section. */
  private readonly seen = new Set<string>();
  private readonly pasted: ReadonlySet<string>;

  constructor(text: string) {
    const uses = text.matchAll(/\$([A-Za-z_][\w.]*)\$/g);
    this.pasted = new Set([...uses].map(([, name = ""]) => name.toLowerCase()));
  }

  command(name: string, section: ConfigSection): void {
    this.look(section, `command ${name}`, outerKeys, {
      also: section.keys().filter((key) => opensSection(section, key)),
    });
    const sgd = inside(section, "SGD");
    if (sgd) {
      this.look(sgd, "SGD", sgdKeys);
      this.inside(sgd, "AutoAdjust", autoAdjustKeys);
      const parallel = this.inside(sgd, "ParallelTrain", parallelKeys);
      for (const key of parallel?.keys() ?? []) this.inside(parallel, key, parallelKeys);
    }
    for (const key of ["reader", "cvReader"]) this.reader(inside(section, key));
    this.inside(section, "SimpleNetworkBuilder", simpleNetworkKeys);
    const ndl = inside(section, "NDLNetworkBuilder");
    if (ndl)
      this.look(ndl, "NDLNetworkBuilder", ndlKeys, {
        also: ndl.keys().filter((key) => opensSection(ndl, key)),
      });
  }

  /** Keys of a section that are not known. */
  look(section: ConfigSection, title: string, known: readonly string[], options: LookOptions = {}): void {
    const { also = [], near = false } = options;
    const allowed = new Set([...known, ...also].map((key) => key.toLowerCase()));
    for (const key of section.keys()) {
      const word = key.toLowerCase();
      if (allowed.has(word) || this.pasted.has(word) || section.pasted(key)) continue;
      const meant = suggest(key, known);
      // Folders are variables: RunDir, OutputDir, …
      if (near && (meant === undefined || word.endsWith("dir"))) continue;
      this.report(section, key, title, meant);
    }
  }

  private inside(
    section: ConfigSection | undefined,
    key: string,
    known: readonly string[],
  ): ConfigSection | undefined {
    const inner = section && inside(section, key);
    if (inner) this.look(inner, key, known);
    return inner;
  }

  /** A reader, whose streams, deserializers and transforms are sections or lists of them. */
  private reader(section: ConfigSection | undefined): void {
    if (!section) return;
    const streams = section.keys().filter((key) => opensSection(section, key));
    this.look(section, "reader", readerKeys, { also: streams });
    this.streams(section, 0);
  }

  private streams(section: ConfigSection, depth: number): void {
    if (depth > 4) return;
    for (const key of section.keys()) {
      for (const inner of sectionsOf(section, key)) {
        const names = inner.keys().filter((name) => opensSection(inner, name));
        const isList = key.toLowerCase() === "input";
        if (!isList)
          this.look(inner, `${key} of the reader`, [...streamKeys, ...readerKeys], { also: names });
        this.streams(inner, depth + 1);
      }
    }
  }

  private report(section: ConfigSection, key: string, title: string, meant: string | undefined): void {
    const span = section.keySpan(key);
    const place = span && `${span.source.name}:${span.start}`;
    if (!span || place === undefined || this.seen.has(place)) return;
    this.seen.add(place);
    this.found.push({
      code: "unknown-key",
      level: "warning",
      message: `'${key}' is no key of ${title}: it has no effect`,
      span,
      ...(meant !== undefined && { hint: `did you mean '${meant}'?` }),
    });
  }
}

/** A section inside; a word under the same name, as `parallelTrain = true` beside the commands, is none. */
function inside(section: ConfigSection, key: string): ConfigSection | undefined {
  return section.optionalText(key)?.text.includes("=") ? section.optionalSection(key) : undefined;
}
