import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { runConfig, type RunOptions } from "../../src/index.js";

/** A run of cntkts in a test: everything it printed, and how it ended. */
export interface CapturedRun {
  readonly log: string;
  readonly error: CntkError | undefined;
}

/** Runs a command line with log and standard output caught in one text, as a console shows them. */
export async function captureRun(
  words: readonly string[],
  options: Omit<RunOptions, "log" | "output"> = {},
): Promise<CapturedRun> {
  let log = "";
  const sink = { write: (text: string) => void (log += text) };
  try {
    await runConfig(words, { ...options, log: sink, output: sink });
    return { log, error: undefined };
  } catch (error) {
    if (error instanceof CntkError) return { log, error };
    throw error;
  }
}

/** One step of a recorded case: what CNTK printed, what cntkts prints. */
export interface PlayedStep {
  readonly recorded: string;
  readonly run: CapturedRun;
}

/**
 * Plays a recorded case back: the steps of its `command.txt` (`cntk …`, `exit N`, `cp`, `rm`), placeholders replaced by
 * `places`. Returns one entry for each run of the program.
 */
export async function playBack(
  folder: string,
  places: Readonly<Record<string, string>>,
  options: Omit<RunOptions, "log" | "output"> = {},
): Promise<PlayedStep[]> {
  const real = (text: string): string =>
    Object.entries(places).reduce((result, [name, path]) => result.replaceAll(name, path), text);
  const hidden = (text: string): string =>
    Object.entries(places).reduce((result, [name, path]) => result.replaceAll(path, name), text);
  const steps: PlayedStep[] = [];
  for (const line of readFileSync(join(folder, "command.txt"), "utf8").split("\n").filter(Boolean)) {
    const [program, ...words] = Array.from(line.matchAll(/'([^']*)'|(\S+)/g), (m) => m[1] ?? m[2] ?? "");
    const [first = "", second = ""] = words.map(real);
    if (program === "cp") copyFileSync(first, second);
    else if (program === "rm") rmSync(first);
    else if (program === "exit") {
      const ended = steps.at(-1)?.run.error ? "1" : "0";
      if (ended !== first) throw new Error(`${line}: run ${steps.length} ended with ${ended}`);
    } else {
      const { log, error } = await captureRun(words.map(real), options);
      const name = steps.length === 0 ? "log.txt" : `log${steps.length + 1}.txt`;
      const recorded = readFileSync(join(folder, name), "utf8");
      steps.push({ recorded, run: { log: hidden(log), error } });
    }
  }
  return steps;
}

/** What may differ between two correct runs: times, rates, the names of convolution engines. */
const noise: readonly (readonly [RegExp, string])[] = [
  [/((?:epoch)?[tT]ime) ?= ?[-0-9.e+]+s/, "$1 = T"],
  [/computation time +[0-9.]+ secs/, "computation time T secs"],
  [/samplesPerSecond = [-0-9.infa]+/, "samplesPerSecond = R"],
  [
    /using \w+ convolution engine for geometry(, could be VERY SLOW)?:/,
    "using E convolution engine for geometry:",
  ],
];

/** The memory-sharing list (its order follows heap addresses in CNTK) and blank lines. */
const ignored = /^(\s*|Memory Sharing:.*|Here are the ones that .*|\t\{.*|\t {2}\S.* : \[.*)$/;

/** Lines of a log that two correct runs share, noise replaced; all of it up to CNTK's exception. */
export function comparableLines(log: string): string[] {
  const lines = log.split("\n").map((line) => line.trimEnd());
  const failure = lines.findIndex((line) => line.startsWith("EXCEPTION occurred"));
  return (failure < 0 ? lines : lines.slice(0, failure))
    .filter((line) => !ignored.test(line))
    .map((line) => noise.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line));
}

/** Lines that a training or a test prints about its numbers. */
const aboutNumbers =
  /^( Epoch\[|Finished Epoch|Starting Epoch|Starting minibatch|Starting from|SGD: |Minibatch\[|Final |Setting dropout|Learn |Warning|WARNING|Training |No further|Best |Initializing data|Parallel training)/;

/** The lines about numbers among `comparableLines`. */
export function numberLines(log: string): string[] {
  return comparableLines(log).filter((line) => aboutNumbers.test(line));
}

/** Lines of the validation of networks, from `Post-processing network...` on, of all commands. */
export function validationLines(log: string): string[] {
  const blocks = log.split(/^(?=Post-processing network\.\.\.$)/m).slice(1);
  return blocks.flatMap((block) =>
    comparableLines(block.split("\nPost-processing network complete")[0] ?? ""),
  );
}

const number = /(-?\d+\.\d+(?:e[-+]\d+)?)/;

/**
 * `ours`, with those numbers that are as near to the recorded ones as two machines come replaced by them, so that the two
 * lists can be compared as text. In double every printed digit up to the 11th counts (beyond: 1e-9); in float 2e-5.
 */
export function nearLines(recorded: readonly string[], ours: readonly string[], single = false): string[] {
  return ours.map((line, index) => {
    const theirs = recorded[index];
    if (theirs === undefined || theirs === line) return line;
    const expected = theirs.split(number);
    const found = line.split(number);
    if (expected.length !== found.length) return line;
    const near = (a: string, b: string): boolean => {
      const digits = a.replace(/^-?[0.]*|e.*|\./g, "").length;
      if (!single && digits <= 11) return false;
      const [x, y] = [Number(a), Number(b)];
      return Math.abs(x - y) <= (single ? 2e-5 : 1e-9) * Math.max(Math.abs(x), Math.abs(y), 1e-3);
    };
    return expected
      .map((part, at) => (at % 2 === 1 && near(part, found[at] ?? "") ? part : (found[at] ?? "")))
      .join("");
  });
}

/** Reads a recorded file, or undefined when the case has none of that name. */
export function recordedFile(folder: string, name: string): Uint8Array | undefined {
  const path = join(folder, name);
  return existsSync(path) ? Uint8Array.from(readFileSync(path)) : undefined;
}
