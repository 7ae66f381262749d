import { visible } from "../diagnostics/shown-text.js";
import type { LogSink } from "../log/log.js";
import type { RunOptions } from "../api-run.js";
import type { CommandContext } from "./command.js";
import { ProgressBar, type Terminal } from "./progress-bar.js";

/**
 * The terminal behind standard error. A program that passes our output on to a terminal tells of it with
 * CNTKTS_TERMINAL_COLUMNS, so that the progress bar is drawn all the same.
 */
function terminalOf({ errors, environment }: CommandContext): Terminal {
  const columns = Number(environment["CNTKTS_TERMINAL_COLUMNS"]);
  if (errors.isTTY || !(columns > 0)) return errors;
  return { isTTY: true, columns, write: (text) => errors.write(text) };
}

/** So many characters of a log are written at once, and what is older than so many milliseconds goes with the next ones. */
const mostGathered = 1 << 16;
const oldest = 50;

/**
 * The log of what is soon over: each line is a call of the system, and networks have tens of thousands. Text is gathered for a
 * moment; `flush` writes what is left.
 */
export class GatheredLog implements LogSink {
  private text = "";
  private since = 0;

  constructor(private readonly log: LogSink) {}

  write(text: string): void {
    if (this.text === "") this.since = performance.now();
    this.text += text;
    if (this.text.length >= mostGathered || performance.now() - this.since > oldest) this.flush();
  }

  flush(): void {
    const { text } = this;
    this.text = "";
    if (text !== "") this.log.write(text);
  }
}

/** Log, standard output and progress bar on one screen, without getting in each other's way. */
export async function onScreen(
  context: CommandContext,
  work: (options: RunOptions & { readonly log: LogSink }) => Promise<unknown>,
): Promise<void> {
  const bar = new ProgressBar(terminalOf(context));
  const { output, errors, directory, signal, backend } = context;
  // What `write` prints is data: it goes into pipes and files as it is, but not into a terminal.
  const shown = output.isTTY ? visible : (text: string) => text;
  try {
    await work({
      directory,
      signal,
      log: bar.above({ write: (text) => void errors.write(text) }),
      output: bar.above({ write: (text) => void output.write(shown(text)) }),
      ...(bar.active ? { onProgress: bar.update } : {}),
      ...(backend === undefined ? {} : { backend }),
    });
  } finally {
    bar.clear();
  }
}
