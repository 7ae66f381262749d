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

/**
 * A master label file: after the header, for each utterance its name in quotes, a line for each range of frames, and a dot.
 * @throws CntkError `htk-labels` in CNTK's words, with file and line.
 * Source: Source/Readers/HTKDeserializers/MLFIndexer.cpp, MLFUtils.cpp.
 */
export function readLabelFile(
  files: FileAccess,
  path: string,
  states: ReadonlyMap<string, number> | undefined,
): LabelledUtterance[] {
  if (!files.exists(path) || files.isDirectory(path)) {
    throw new CntkError({
      code: "htk-labels",
      message: `error opening file '${path}': No such file or directory`,
    });
  }
  const lines = files.readText(path).split(/\r?\n|\r/);
  const utterances: LabelledUtterance[] = [];
  let current: UtteranceLines | undefined;
  let seenHeader = false;
  lines.forEach((line, i) => {
    if (line === "") return;
    const fail: Fail = (message) => {
      const hint = `line ${i + 1} of ${path}: ${JSON.stringify(line.slice(0, 80))}`;
      throw new CntkError({ code: "htk-labels", message, hint });
    };
    if (!seenHeader) {
      if (line !== header) fail("Expected MLF header was not found.");
      seenHeader = true;
    } else if (current === undefined) {
      if (line !== header) current = new UtteranceLines(line);
    } else if (line === ".") {
      utterances.push(current.finish());
      current = undefined;
    } else current.add(line, states, fail);
  });
  if (!seenHeader) throw new CntkError({ code: "htk-labels", message: "Input file is empty", hint: path });
  if (current !== undefined) {
    const hint = `the utterance at the end of ${path} has no dot behind it`;
    const message = `Unexpected line at the end of the file '${current.name}'`;
    throw new CntkError({ code: "htk-labels", message, hint });
  }
  return utterances;
}

type Fail = (message: string) => never;

/** An utterance while its lines are read. */
class UtteranceLines {
  readonly name: string;
  private readonly starts: number[] = [];
  private readonly classes: number[] = [];
  private end = 0;
  private problem: string | undefined;

  constructor(line: string) {
    const quoted = /^"(.+)"\s*$/.exec(line)?.[1];
    if (quoted === undefined)
      this.problem = `skipping sequence entry '${line}' due to it being too short or not quoted`;
    const path = (quoted ?? line).replace(/^\*\//, "");
    this.name = path.replace(/\.[^.]*$/, "");
  }

  add(line: string, states: ReadonlyMap<string, number> | undefined, fail: Fail): void {
    const tokens = line.split(" ");
    const [start, end] = frameRange(tokens, fail);
    if (end < start) fail("frame range end time is earlier than start time.");
    if (start !== this.end && this.starts.length > 0) {
      this.problem ??= `Labels are not in the consecutive order MLF in label set for utterance '${this.name}'`;
    }
    if (this.starts.length === 0 && start !== 0)
      this.problem ??= `Invalid first frame in utterance '${this.name}'`;
    this.starts.push(start);
    this.classes.push(classOf(tokens, states, fail));
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
  fail: Fail,
): number {
  if (states) {
    const state = states.get(tokens[2] ?? "");
    return state ?? fail(`frame range state '${tokens[2] ?? ""}' is not found in the statelist`);
  }
  if (tokens.length !== 4) fail("CNTK supports 4-column format frame range or state list table.");
  const number = /^[-+]?\d+/.exec(tokens[3] ?? "")?.[0];
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
