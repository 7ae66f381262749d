import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";

/** The classes of an utterance: which class its frames have, from `starts[i]` up to `starts[i + 1]`. */
export interface LabelledUtterance {
  readonly name: string;
  readonly starts: readonly number[];
  readonly classes: readonly number[];
  /** Why its labels cannot be used; it is left out then. */
  readonly problem?: string;
}

/** A time of HTK's is this many units of a frame; ranges shorter than one frame's units count frames. */
const timePerFrame = 100000;
const header = "#!MLF!#";

/** The lines of an utterance in a label file: its name, and behind it those that are not blank, up to the dot. */
interface LabelEntry {
  readonly name: string;
  readonly lines: readonly { readonly text: string; readonly number: number }[];
}

/** A reader's way of going through label files: what it makes of a file that does not end as it should. */
export type LabelReading = "deserializer" | "older";

/**
 * A master label file: after the header, for each utterance its name in quotes, a line for each range of frames, and a dot.
 * `reading`: CNTK's deserializers leave out what has no dot behind it, its older reader refuses that. What is handed back reads
 * the ranges of the utterances that are wanted.
 * @throws CntkError `htk-labels` in CNTK's words, with file and line.
 * Source: Source/Readers/HTKDeserializers/MLFIndexer.cpp, MLFUtils.cpp; Source/Readers/HTKMLFReader/htkfeatio.h, htkmlfreader.
 */
export function readLabelFile(
  files: FileAccess,
  path: string,
  states: ReadonlyMap<string, number> | undefined,
  reading: LabelReading,
  /** Told of utterances that are left out. */
  warn: (text: string) => void = () => undefined,
): (wants?: (name: string) => boolean) => LabelledUtterance[] {
  const entries = labelEntries(readWhole(files, path), path, reading, warn);
  const isLenient = reading === "older";
  return (wants = () => true) =>
    entries.flatMap(({ name, lines }) => {
      if (!wants(name)) return [];
      const utterance = new UtteranceLines(name);
      for (const { text, number } of lines)
        utterance.add(text, states, isLenient, failAt(path, number, text));
      return [utterance.finish()];
    });
}

function readWhole(files: FileAccess, path: string): string {
  if (files.exists(path) && !files.isDirectory(path)) return files.readText(path);
  throw new CntkError({
    code: "htk-labels",
    message: `error opening file '${path}': No such file or directory`,
  });
}

const failAt =
  (path: string, number: number, line: string): Fail =>
  (message) => {
    const hint = `line ${number} of ${path}: ${JSON.stringify(line.slice(0, 80))}`;
    throw new CntkError({ code: "htk-labels", message, hint });
  };

/** The utterances of a label file, what is wrong with their names and their last ranges included. */
function labelEntries(
  text: string,
  path: string,
  reading: LabelReading,
  warn: (text: string) => void,
): LabelEntry[] {
  const entries: LabelEntry[] = [];
  const end = completeEnd(text, path, reading);
  let current:
    | { name: string | undefined; text: string; start: number; lines: LabelEntry["lines"][number][] }
    | undefined;
  let seenHeader = false;
  // Lines that are not blank.
  let lineCount = 0;
  let nameLine = 0;
  // In characters, and in bytes as CNTK counts.
  let at = 0;
  let offset = 0;
  text
    .slice(0, end)
    .split(/\r\n|[\r\n]/)
    .forEach((line, i) => {
      const start = offset;
      const lineEnd = start + byteLength(line);
      const lineBreak = text.startsWith("\r\n", at + line.length) ? 2 : 1;
      at += line.length + lineBreak;
      offset = lineEnd + lineBreak;
      if (line === "") return;
      lineCount++;
      if (!seenHeader) {
        if (line !== header) failAt(path, i + 1, line)("Expected MLF header was not found.");
        seenHeader = true;
      } else if (current === undefined) {
        if (line === header) return;
        current = { name: nameOf(line), text: line, start, lines: [] };
        nameLine = lineCount;
      } else if (line !== ".") current.lines.push({ text: line, number: i + 1 });
      else {
        const { name, lines } = current;
        if (reading === "deserializer")
          checkLength(lines.at(-1)?.text ?? "", lineEnd, failAt(path, i + 1, line));
        if (name !== undefined) entries.push({ name, lines });
        else if (reading === "older") {
          warn(
            `warning: filename entry (${current.text})\n` +
              `skip current mlf entry from line (${nameLine}) until line (${lineCount}).\n`,
          );
        } else warn(`at offset (${current.start})`);
        current = undefined;
      }
    });
  if (current && reading === "older") {
    const hint = `the utterance at the end of ${path} has no dot and line break behind it`;
    throw new CntkError({ code: "htk-labels", message: "unexpected end in mid-utterance", hint });
  }
  return entries;
}

/** Where the last complete line ends. */
function completeEnd(text: string, path: string, reading: LabelReading): number {
  const fail = (message: string): never => {
    throw new CntkError({ code: "htk-labels", message, hint: path });
  };
  if (text === "") fail("Input file is empty");
  const end = text.lastIndexOf("\n") + 1;
  if (reading === "older") return end;
  if (end === 0) fail(`Length of MLF sequence cannot exceed '${byteLength(text)}' bytes.`);
  const rest = text.slice(end).trim();
  if (rest !== "") fail(`Unexpected line at the end of the file '${rest}'`);
  return end;
}

/** The last range of an utterance says how long it is; CNTK looks at it before it reads the others. */
function checkLength(last: string, offset: number, fail: Fail): void {
  frameRange(last.split(" "), (message) => fail(`Offset '${offset}': ${message}`));
}

function byteLength(text: string): number {
  return /^[\x00-\x7f]*$/.test(text) ? text.length : new TextEncoder().encode(text).length;
}

/** The name in quotes, without its extension; undefined where there is none. */
function nameOf(line: string): string | undefined {
  const quoted = /^"(.+)"\s*$/.exec(line)?.[1];
  return quoted?.replace(/^\*\/(?=.)/, "").replace(/\.[^.]*$/, "");
}

type Fail = (message: string) => never;

/** An utterance while its lines are read. */
class UtteranceLines {
  private readonly starts: number[] = [];
  private readonly classes: number[] = [];
  private end = 0;
  private problem: string | undefined;

  constructor(private readonly name: string) {}

  add(
    line: string,
    states: ReadonlyMap<string, number> | undefined,
    /** A class that is no number is the first one. */
    isLenient: boolean,
    fail: Fail,
  ): void {
    const tokens = line.split(" ");
    const [start, end] = frameRange(tokens, fail);
    if (end < start) fail("frame range end time is earlier than start time.");
    if (start !== this.end && this.starts.length > 0) {
      this.problem ??= `Labels are not in the consecutive order MLF in label set for utterance '${this.name}'`;
    }
    if (this.starts.length === 0 && start !== 0)
      this.problem ??= `Invalid first frame in utterance '${this.name}'`;
    this.starts.push(start);
    this.classes.push(classOf(tokens, states, isLenient, fail));
    this.end = end;
  }

  finish(): LabelledUtterance {
    if (this.starts.length === 0) this.problem ??= `sequence entry (${this.name}) is empty`;
    const { name, classes, problem } = this;
    return {
      name,
      starts: [...this.starts, this.end],
      classes,
      ...(problem === undefined ? {} : { problem }),
    };
  }
}

function frameRange(tokens: readonly string[], fail: Fail): [number, number] {
  if (tokens.length < 2) return fail("do not support frame range format with less than two columns.");
  const number = (token: string | undefined, what: string): number => {
    const found = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?/.exec(token ?? "")?.[0];
    return found === undefined ? fail(`cannot parse ${what} frame of range.`) : Number(found);
  };
  const start = number(tokens[0], "start");
  const end = number(tokens[1], "end");
  const isTime = end - start >= timePerFrame - 1;
  const frame = (time: number): number => Math.trunc(isTime ? time / timePerFrame + 0.5 : time);
  const range: [number, number] = [frame(start), frame(end)];
  if (range.some((value) => value < 0 || value >= 2 ** 31))
    fail("not enough bits for one of the frame range values.");
  return range;
}

function classOf(
  tokens: readonly string[],
  states: ReadonlyMap<string, number> | undefined,
  isLenient: boolean,
  fail: Fail,
): number {
  if (states) {
    const state = states.get(tokens[2] ?? "");
    return state ?? fail(`frame range state '${tokens[2] ?? ""}' is not found in the statelist`);
  }
  if (tokens.length !== 4) fail("CNTK supports 4-column format frame range or state list table.");
  const number = /^[-+]?\d+/.exec(tokens[3] ?? "")?.[0] ?? (isLenient ? "0" : undefined);
  if (number === undefined) return fail("cannot parse class id of the frame range");
  const id = Number(number);
  return id >= 0 && id < 65536 ? id : fail(`not enough bits to represent a class id '${number}'.`);
}

/** A list of states, one name a line; its place is its class. */
export function readStateList(files: FileAccess, path: string): ReadonlyMap<string, number> {
  if (!files.exists(path) || files.isDirectory(path)) {
    throw new CntkError({
      code: "htk-labels",
      message: `error opening file '${path}': No such file or directory`,
    });
  }
  const states = new Map<string, number>();
  for (const line of files.readText(path).split(/[\r\n]+/)) {
    if (line === "") continue;
    if (states.has(line)) {
      throw new CntkError({
        code: "htk-labels",
        message: `Deduplicate two states with the same name '${line}' from the state table '${path}'.`,
      });
    }
    states.set(line, states.size);
  }
  if (states.size > 0) return states;
  const message = `State list table '${path}' is not allowed to be empty.`;
  throw new CntkError({ code: "htk-labels", message });
}
