import { checkConfig, runConfig, type RunOptions } from "../../index.js";
import { ProgressBar, type Terminal } from "../progress-bar.js";
import type { Surroundings } from "../surroundings.js";

interface Request {
  readonly words: readonly string[];
  readonly backend?: string;
}

/**
 * The terminal behind standard error. A program that passes our output on to a terminal tells of it with
 * CNTKTS_TERMINAL_COLUMNS, so that the progress bar is drawn all the same.
 */
function terminalOf({ errors, environment }: Surroundings): Terminal {
  const columns = Number(environment["CNTKTS_TERMINAL_COLUMNS"]);
  if (errors.isTTY || !(columns > 0)) return errors;
  return { isTTY: true, columns, write: (text) => errors.write(text) };
}

/** Log, standard output and progress bar on one screen, without getting in each other's way. */
async function onScreen(
  request: Request,
  surroundings: Surroundings,
  signal: AbortSignal,
  work: (words: readonly string[], options: RunOptions) => Promise<unknown>,
): Promise<void> {
  const bar = new ProgressBar(terminalOf(surroundings));
  const { output, errors, directory } = surroundings;
  try {
    await work(request.words, {
      directory,
      signal,
      log: bar.above({ write: (text) => void errors.write(text) }),
      output: bar.above({ write: (text) => void output.write(text) }),
      ...(bar.active ? { onProgress: bar.update } : {}),
      ...(request.backend === undefined ? {} : { backend: request.backend }),
    });
  } finally {
    bar.clear();
  }
}

/** `cntkts configFile=… key=value …`: CNTK's own command line. */
export function runCommand(request: Request, surroundings: Surroundings, signal: AbortSignal): Promise<void> {
  return onScreen(request, surroundings, signal, runConfig);
}

/** `cntkts check configFile=…`: everything up to validation, without data. */
export function checkCommand(
  request: Request,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  return onScreen(request, surroundings, signal, checkConfig);
}
