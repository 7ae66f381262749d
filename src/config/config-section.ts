import { CntkError, type Diagnostic } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { parseBoolean, parseDouble, parseInteger, parseSize } from "./conversions.js";
import { MappedText } from "./mapped-text.js";
import { parseArrayItem, parseKeyValue, type KeyValue } from "./parse-entry.js";
import { checkItemCount, Pasting } from "./pasting.js";
import { resolveVariables } from "./resolve-variables.js";
import { Schedule } from "./schedule.js";
import { splitEntries } from "./split-entries.js";

export interface SectionResult {
  readonly result: ConfigSection;
  readonly diagnostics: readonly Diagnostic[];
}

/** A value found by its key: resolved text, and the section it stands in. */
interface Found {
  readonly text: MappedText;
  readonly owner: ConfigSection;
}

/**
 * One section of a configuration: raw values by key. Whoever reads says which type is wanted; only then is `$x$`
 * pasted in and the text split or converted, as in CNTK. Keys are found whatever their case, here and then in the
 * sections around; the value `default` counts as not given. All getters without a fallback throw CntkError
 * `missing-key` where there is no value, and all throw `bad-value` for a text of the wrong form and
 * `unknown-variable` for a `$x$` that the root does not define.
 * Source: CNTK's Config.h (ConfigParameters, ConfigValue, ConfigArray).
 */
export class ConfigSection {
  /** Path of the section in messages, e.g. `07.cntk:train:SGD`. */
  readonly name: string;
  readonly parent: ConfigSection | undefined;
  /** Where its text was written. */
  readonly span: Span;
  private readonly entries = new Map<string, KeyValue>();
  private readonly pasting: Pasting;

  private constructor(
    name: string,
    parent: ConfigSection | undefined,
    span: Span,
    /** Are keys that are not here looked for in the sections around? */
    private readonly looksAround: boolean,
  ) {
    this.name = name;
    this.parent = parent;
    this.span = span;
    this.pasting = parent ? parent.pasting : new Pasting();
  }

  /** Splits the text of a section; mistakes are reported and the entries that can be read are there. */
  static read(text: MappedText, name: string, parent?: ConfigSection, looksAround = true): SectionResult {
    const section = new ConfigSection(name, parent, text.spanOf(), looksAround);
    const split = splitEntries(text, ";");
    const diagnostics: Diagnostic[] = [...split.diagnostics];
    for (const entry of split.result) {
      try {
        const parsed = parseKeyValue(entry);
        if (parsed) section.insert(parsed);
      } catch (error) {
        if (!(error instanceof CntkError)) throw error;
        diagnostics.push(error.diagnostic);
      }
    }
    return { result: section, diagnostics };
  }

  /** Keys of this section in CNTK's order: by letter, whatever the case. */
  keys(): string[] {
    const byLowerCase = [...this.entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return byLowerCase.map(([, entry]) => entry.key.text);
  }

  /** True if the key is here or in a section around. */
  has(key: string): boolean {
    return this.hasOwn(key) || (this.around?.has(key) ?? false);
  }

  hasOwn(key: string): boolean {
    return this.entries.has(key.toLowerCase());
  }

  /** The value as written, before `$x$` is pasted in; this section only. */
  raw(key: string): MappedText | undefined {
    return this.entries.get(key.toLowerCase())?.value;
  }

  /** Where the key was written; this section only. */
  keySpan(key: string): Span | undefined {
    return this.entries.get(key.toLowerCase())?.key.spanOf();
  }

  /** Adds a value as if it had been written at the end of the section: a new `[…]` is appended, the rest replaces. */
  inject(key: string, value: string): void {
    const source = { name: "<set by the action>", text: `${key}=${value}` };
    const text = MappedText.of(source);
    this.insert({ key: text.slice(0, key.length), value: text.slice(key.length + 1) });
  }

  /** Adds a value unless this section itself has the key. */
  setDefault(key: string, value: string): void {
    if (!this.hasOwn(key)) this.inject(key, value);
  }

  /** The resolved text with its places (BrainScript is read from it). */
  text(key: string): MappedText {
    return this.required(key).text;
  }

  /** The resolved text with its places; undefined where there is no value. */
  optionalText(key: string): MappedText | undefined {
    return this.find(key)?.text;
  }

  string(key: string, fallback?: string): string {
    return this.convert(key, fallback, (text) => text.text);
  }

  /**
   * As `string`, for a text that CNTK takes as it stands in its section: neither is a `#` that it begins with a comment, nor is `$x$`
   * pasted in once more. Source: CNTK's Config.h (the operator with a default value of a type).
   */
  textAsItStands(key: string, fallback: string): string {
    const own = this.raw(key);
    if (own === undefined) return this.around?.textAsItStands(key, fallback) ?? fallback;
    return own.text === "default" ? fallback : own.text;
  }

  /** A C `int`. */
  integer(key: string, fallback?: number): number {
    return this.convert(key, fallback, parseInteger);
  }

  /** A C `size_t`; -1 wraps to 2^64 (rounded to a double), which is larger than any count. */
  size(key: string, fallback?: number): number {
    return this.convert(key, fallback, (text) => Number(parseSize(text)));
  }

  /** A C `size_t` of which only the value modulo 2^64 counts, as of a seed: what is negative stays so. */
  seed(key: string, fallback?: number): number {
    return this.convert(key, fallback, (text) => Number(BigInt.asIntN(64, parseSize(text))));
  }

  /** A C `double`. */
  number(key: string, fallback?: number): number {
    return this.convert(key, fallback, parseDouble);
  }

  /** A C `float`: a double rounded to single precision. */
  float(key: string, fallback?: number): number {
    return this.convert(key, fallback, (text) => Math.fround(parseDouble(text)));
  }

  boolean(key: string, fallback?: boolean): boolean {
    return this.convert(key, fallback, parseBoolean);
  }

  /** The items of an array, split at `:` (comma and line end too), `v*n` repeated n times. */
  array(key: string, fallback?: readonly string[]): string[] {
    return this.convert<readonly string[]>(key, fallback, (text) =>
      readArray(text).map((item) => item.text),
    ).slice();
  }

  /** As `array`, with the places of the items. */
  texts(key: string): MappedText[] {
    return readArray(this.required(key).text);
  }

  /** A schedule of C `float`s: each value rounded to single precision. */
  floatSchedule(key: string, fallback?: readonly number[]): Schedule {
    return this.schedule(key, fallback, (text) => Math.fround(parseDouble(text)));
  }

  /** A schedule of C `double`s. */
  numberSchedule(key: string, fallback?: readonly number[]): Schedule {
    return this.schedule(key, fallback, parseDouble);
  }

  /** A schedule of C `int`s. */
  integerSchedule(key: string, fallback?: readonly number[]): Schedule {
    return this.schedule(key, fallback, parseInteger);
  }

  /** A nested section, split anew each time: what is injected into one is not seen by another. */
  section(key: string): ConfigSection {
    return this.openSection(key, this.required(key));
  }

  /** A nested section, or undefined where there is none. */
  optionalSection(key: string): ConfigSection | undefined {
    const found = this.find(key);
    return found && this.openSection(key, found);
  }

  /**
   * The lines of the start-up log, one per key: `configparameters: file:key=value` and a line end, `$x$` resolved.
   * A generator, since CNTK has printed the lines before a faulty one when it stops.
   */
  *dumpLines(): Generator<string, void, undefined> {
    for (const key of this.keys()) {
      yield `configparameters: ${this.name}:${key}=${this.resolve(this.raw(key)!).text}\n`;
    }
  }

  /** All of dumpLines. */
  dump(): string {
    return [...this.dumpLines()].join("");
  }

  /** Pastes `$x$` into a text, as for a value read from this section. */
  resolve(text: MappedText): MappedText {
    return resolveVariables(text, this.name, (name) => this.variable(name));
  }

  /** The error for something that should be here: CNTK's sentence, the place of the section, the nearest key. */
  missing(key: string): CntkError {
    const hint = this.has(key)
      ? `'${key}' is given, but empty or 'default'`
      : (this.deeperHint(key) ?? didYouMean(key, this.allKeys()));
    return new CntkError({
      code: "missing-key",
      message: `configparameters: required parameter missing: ${this.name}:${key}`,
      ...(this.parent ? { span: this.span, label: `no '${key}' in this section or around it` } : {}),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** Brackets that close too late put a key into the section before its own. */
  private deeperHint(key: string): string | undefined {
    const holds = (name: string): boolean => {
      const text = this.raw(name);
      if (!text || !/^\s*[[{]/.test(text.text)) return false;
      return ConfigSection.read(text.trimBlanks(), name).result.hasOwn(key);
    };
    const around = this.keys().find(holds);
    return around && `it stands inside of '${around}' in this section, where it is not looked for`;
  }

  private *allKeys(): Generator<string> {
    yield* this.keys();
    if (this.around) yield* this.around.allKeys();
  }

  /** CNTK's rule for a key that is there already: text that begins with `[` is appended, any other replaces. */
  private insert({ key, value }: KeyValue): void {
    const id = key.text.toLowerCase();
    const known = this.entries.get(id);
    if (known === undefined) this.entries.set(id, { key, value });
    else if (known.value.length > 0 && value.text.startsWith("[")) {
      const blank = MappedText.literal(" ", value.spanOf(0, 0));
      this.entries.set(id, { key: known.key, value: MappedText.concat(known.value, blank, value) });
    } else {
      // The first spelling stays, as in CNTK's dump; the place is that of the value in force.
      this.entries.set(id, { key: MappedText.literal(known.key.text, key.spanOf()), value });
    }
  }

  private get around(): ConfigSection | undefined {
    return this.looksAround ? this.parent : undefined;
  }

  /** The nearest value of the key; undefined if there is none or it says `default`. */
  private find(key: string): Found | undefined {
    const own = this.raw(key);
    if (own === undefined) return this.around?.find(key);
    return own.text === "default" ? undefined : { text: this.resolve(own), owner: this };
  }

  private required(key: string): Found {
    const found = this.find(key);
    if (found === undefined || found.text.length === 0) throw this.missing(key);
    return found;
  }

  private convert<T>(key: string, fallback: T | undefined, read: (text: MappedText) => T): T {
    if (fallback === undefined) return read(this.required(key).text);
    const found = this.find(key);
    return found === undefined ? fallback : read(found.text);
  }

  private schedule(
    key: string,
    fallback: readonly number[] | undefined,
    read: (text: MappedText) => number,
  ): Schedule {
    const values = this.convert<readonly number[]>(key, fallback, (text) => readArray(text).map(read));
    return new Schedule(values, () => this.missing(key));
  }

  private openSection(key: string, found: Found): ConfigSection {
    const { result, diagnostics } = ConfigSection.read(found.text, `${found.owner.name}:${key}`, this);
    const [first, ...others] = diagnostics;
    if (first) throw CntkError.ofAll([first, ...others]);
    return result;
  }

  private readonly pastedKeys = new Set<string>();

  /** Has the value of the key been pasted in somewhere as `$key$`? */
  pasted(key: string): boolean {
    return this.pastedKeys.has(key.toLowerCase());
  }

  /** Keys whose value is being pasted in; a key that needs itself would never end. */
  private readonly resolving = new Set<string>();

  private variable(name: MappedText): MappedText | undefined {
    const id = name.text.toLowerCase();
    const own = this.entries.get(id);
    if (own === undefined) return this.parent?.variable(name);
    if (own.value.text === "default") return undefined;
    this.pastedKeys.add(id);
    if (this.resolving.has(id)) {
      const message = `The value of variable ${name.text} contains $${name.text}$ itself.`;
      throw new CntkError({ code: "circular-variable", message, span: name.spanOf() });
    }
    this.resolving.add(id);
    try {
      return this.pasting.within(name, () => this.resolve(own.value));
    } finally {
      this.resolving.delete(id);
    }
  }
}

/** The items of an array text. Throws for brackets that do not match and for a count that is no number. */
export function readArray(text: MappedText): MappedText[] {
  const { result, diagnostics } = splitEntries(text, ":");
  const [first, ...others] = diagnostics;
  if (first) throw CntkError.ofAll([first, ...others]);
  const items: MappedText[] = [];
  for (const entry of result) {
    const item = parseArrayItem(entry);
    if (item === "stop") break;
    checkItemCount(items.length + (item?.count ?? 0), text);
    for (let copies = item?.count ?? 0; copies > 0; copies--) items.push(item!.value);
  }
  return items;
}
