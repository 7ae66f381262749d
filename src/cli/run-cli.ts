import { CntkError } from "../diagnostics/diagnostic.js";
import { renderDiagnostic } from "../diagnostics/render.js";
import { visible } from "../diagnostics/shown-text.js";
import { backendNames } from "../choices.js";
import { parseArguments } from "./arguments.js";
import { commands } from "./commands/index.js";
import type { Surroundings } from "./surroundings.js";

/** Exit status of a run that Ctrl-C stopped: 128 + SIGINT, as shells have it. */
const interruptedStatus = 130;

/**
 * Runs one command line and returns its exit status: 0 done, 1 something is wrong (said on standard error, in one
 * message with its place), 130 stopped by Ctrl-C. Output that could not be written is something wrong, unless its reader
 * has gone.
 */
export async function runCli(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const status = await runCommandLine(argv, surroundings);
  const lost = await surroundings.lostOutput?.();
  if (!lost) return status;
  surroundings.errors.write(`${complaint(lost, surroundings)}\n`);
  await surroundings.lostOutput?.();
  return status === 0 ? 1 : status;
}

async function runCommandLine(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const interrupts = new AbortController();
  try {
    const { run, backend } = await parseArguments(argv, commands, backendNames);
    const stopListening = surroundings.onInterrupt(() => {
      // The first Ctrl-C lets the minibatch end; whoever does not want to wait presses again.
      if (interrupts.signal.aborted) surroundings.exit(interruptedStatus);
      interrupts.abort();
    });
    try {
      return await run({
        ...surroundings,
        signal: interrupts.signal,
        print: (text) => void surroundings.output.write(visible(text)),
        ...(backend === undefined ? {} : { backend }),
      });
    } finally {
      stopListening();
    }
  } catch (error) {
    surroundings.errors.write(`${complaint(error, surroundings)}\n`);
    return interrupts.signal.aborted ? interruptedStatus : 1;
  }
}

/** How V8 refuses memory that it cannot have, or never gives in one piece. */
const noMemory = /^(Array buffer allocation failed|Invalid (typed array|array buffer|array) length)/;

/** What the user reads: a rendered diagnostic, or for a mistake of cntkts itself one line without a stack. */
function complaint(error: unknown, surroundings: Surroundings): string {
  const debug = surroundings.environment["CNTKTS_DEBUG"] === "1";
  const stack = debug && error instanceof Error && error.stack ? `\n${error.stack}` : "";
  if (error instanceof CntkError) return renderDiagnostic(error.diagnostic) + visible(stack);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError && noMemory.test(message))
    return visible(`error: There is not enough memory for sizes like these: ${message}.${stack}`);
  const hint = "this is a mistake in cntkts; please report it with the command line and the configuration";
  return visible(
    `internal error: ${message}${debug ? stack : `\nhint: ${hint} (CNTKTS_DEBUG=1 shows where it happened)`}`,
  );
}
