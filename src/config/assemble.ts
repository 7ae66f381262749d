import { attempted } from "../diagnostics/attempts.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { Source, Span } from "../diagnostics/source.js";
import type { FileAccess } from "../files/file-access.js";
import { configurationLines } from "./configuration-lines.js";
import { MappedText, MappedTextBuilder } from "./mapped-text.js";
import { newlineAfter } from "./resolve-variables.js";

/** Configuration text put together from command-line words and files, comments stripped, includes in place. */
export interface Assembled {
  readonly text: MappedText;
  /** Name of the configuration in messages and in the dump: base name of the last file read, else `global`. */
  readonly name: string;
  /** Folders of the `configFile=` files, absolute: where BrainScript looks for its includes. */
  readonly includeDirectories: readonly string[];
  /** As written, if `currentDirectory=` was given. */
  readonly currentDirectory?: string;
  /** What CNTK prints meanwhile; pieces with their own line ends. */
  readonly log: readonly string[];
  /** The files as seen from the current directory. */
  readonly files: FileAccess;
  /** Every configuration file read, in order, as read. */
  readonly sources: readonly Source[];
}

/** Text after a prefix that is matched whatever its case; undefined if it is not there. */
function afterPrefix(word: string, prefix: string): string | undefined {
  return word.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase()
    ? word.slice(prefix.length)
    : undefined;
}

/** True for a command-line word that makes the command line CNTK's own. */
export function isConfigFileWord(word: string): boolean {
  return afterPrefix(word, "configFile=") !== undefined;
}

/** Base name of a path of either system. */
function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

function directoryOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end < 0 ? "." : end === 0 ? path.slice(0, 1) : path.slice(0, end);
}

/**
 * Puts the configuration text together as CNTK does: words and files in order (so later ones win), then lines
 * `include=…`. Relative paths count from the directory of `files` or a `currentDirectory=` met before.
 * Throws CntkError `file-missing`, `config-file-twice`, `config-file-missing`, `directory-missing`, `include-variable`, `carriage-return`.
 * Source: CNTK's Config.cpp (ParseCommandLine).
 */
export function assembleConfiguration(args: readonly string[], files: FileAccess): Assembled {
  return new Assembler(files).assemble(args);
}

class Assembler {
  private files: FileAccess;
  private name = "global";
  private readonly includeDirectories: string[] = [];
  private readonly log: string[] = [];
  private readonly sources: Source[] = [];
  private readonly seen = new Set<string>();

  constructor(files: FileAccess) {
    this.files = files;
  }

  assemble(args: readonly string[]): Assembled {
    const commandLine = MappedText.of({ name: "<command line>", text: args.join(" ") });
    const builder = new MappedTextBuilder();
    let currentDirectory: string | undefined;
    let offset = 0;
    for (const [index, arg] of args.entries()) {
      const word = commandLine.slice(offset, offset + arg.length);
      offset += arg.length + 1;
      const directory = afterPrefix(arg, "currentDirectory=");
      if (directory !== undefined) {
        this.changeDirectory(directory, word.spanOf("currentDirectory=".length));
        currentDirectory = directory;
      }
      const paths = afterPrefix(arg, "configFile=");
      if (paths === undefined) builder.append(word).append(newlineAfter(word));
      else if (paths === "") throw withoutFile(word.spanOf(), args[index + 1]);
      else this.appendConfigFiles(word.slice("configFile=".length), builder);
    }
    const text = this.resolveIncludes(builder.build());
    const { name, includeDirectories, log, files, sources } = this;
    const assembled = { text, name, includeDirectories, log, files, sources };
    return currentDirectory === undefined ? assembled : { ...assembled, currentDirectory };
  }

  private changeDirectory(directory: string, span: Span): void {
    if (!this.files.isDirectory(directory)) {
      const message = `Failed to set the current directory to '${directory}'`;
      throw new CntkError({ code: "directory-missing", message, span, hint: "there is no such directory" });
    }
    this.files = this.files.withDirectory(this.files.resolve(directory));
    this.log.push(`Changed current directory to ${directory}\n`);
  }

  private appendConfigFiles(paths: MappedText, builder: MappedTextBuilder): void {
    for (const path of splitAtPlus(paths)) {
      if (this.seen.has(path.text)) {
        const message = "Cannot specify same config file multiple times at the command line.";
        throw new CntkError({ code: "config-file-twice", message, span: path.spanOf() });
      }
      this.seen.add(path.text);
      builder.append(this.readFile(path));
      this.includeDirectories.push(this.files.resolve(directoryOf(path.text)));
    }
  }

  /** The lines of a file that are not blank or comment only, each ended by one newline. */
  private readFile(path: MappedText): MappedText {
    const source = { name: path.text, text: this.readText(path) };
    this.name = baseName(path.text);
    this.sources.push(source);
    return configurationLines(source);
  }

  private readText(path: MappedText): string {
    try {
      return attempted(() => this.files.readText(path.text));
    } catch (error) {
      if (!(error instanceof CntkError) || error.diagnostic.span) throw error;
      throw new CntkError({ ...error.diagnostic, span: path.spanOf() });
    }
  }

  /** Replaces lines that begin with exactly `include=` by the files they name, each file once. */
  private resolveIncludes(text: MappedText): MappedText {
    if (!/^include=/m.test(text.text) && !/^\n|\n\n/.test(text.text)) return text;
    const builder = new MappedTextBuilder();
    for (let start = 0, next = 0; start < text.length; start = next) {
      const end = text.text.indexOf("\n", start);
      next = end < 0 ? text.length : end + 1;
      const line = text.slice(start, end < 0 ? text.length : end);
      if (line.length === 0) continue;
      if (!line.text.startsWith("include=")) {
        builder.append(text.slice(start, next));
        if (end < 0) builder.append(newlineAfter(line));
        continue;
      }
      const paths = line.slice("include=".length);
      const variable = paths.text.indexOf("$");
      if (variable >= 0) {
        const message =
          'Variable usage (eg, "$varName$") not supported in "include" statements. ' +
          "Explicit path to config file must be provided";
        throw new CntkError({ code: "include-variable", message, span: paths.spanOf(variable) });
      }
      for (const path of splitAtPlus(paths)) {
        if (this.seen.has(path.text)) {
          const warning = "Warning: Config file included multiple times.  Not including config file again: ";
          this.log.push(warning + path.text);
          continue;
        }
        this.seen.add(path.text);
        builder.append(this.resolveIncludes(this.readFile(path)));
      }
    }
    return builder.build();
  }
}

/** A blank behind `configFile=` leaves the file's name standing alone. */
function withoutFile(span: Span, next: string | undefined): CntkError {
  const alone = next !== undefined && !next.includes("=");
  return new CntkError({
    code: "config-file-missing",
    message: "configFile= names no file.",
    span,
    hint: alone ? `'${next}' stands alone: write configFile=${next}, without a blank` : "configFile=FILE",
  });
}

/** The parts of an `a+b+c` list; empty ones do not count. */
export function splitAtPlus(paths: MappedText): MappedText[] {
  const parts: MappedText[] = [];
  for (let start = 0; start <= paths.length;) {
    let end = paths.text.indexOf("+", start);
    if (end < 0) end = paths.length;
    if (end > start) parts.push(paths.slice(start, end));
    start = end + 1;
  }
  return parts;
}
