import { CntkError } from "../diagnostics/diagnostic.js";
import { renderDiagnostic } from "../diagnostics/render.js";
import { backendNames, explainStages, version } from "../index.js";
import { parseArguments, type Invocation } from "./arguments.js";
import { evalCommand } from "./commands/eval.js";
import { explainCommand } from "./commands/explain.js";
import { mnistCommand } from "./commands/mnist.js";
import { printNodesCommand } from "./commands/print-nodes.js";
import { checkCommand, runCommand } from "./commands/run.js";
import { visualizeCommand } from "./commands/visualize.js";
import type { Surroundings } from "./surroundings.js";

/** Exit status of a run that Ctrl-C stopped: 128 + SIGINT, as shells have it. */
const interruptedStatus = 130;

/**
 * Runs one command line and returns its exit status: 0 done, 1 something is wrong (said on standard error, in one
 * message with its place), 130 stopped by Ctrl-C.
 */
export async function runCli(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const interrupts = new AbortController();
  try {
    const invocation = await parseArguments(argv, { backends: backendNames, stages: explainStages });
    const stopListening = surroundings.onInterrupt(() => {
      // The first Ctrl-C lets the minibatch end; whoever does not want to wait presses again.
      if (interrupts.signal.aborted) surroundings.exit(interruptedStatus);
      interrupts.abort();
    });
    try {
      return await act(invocation, surroundings, interrupts.signal);
    } finally {
      stopListening();
    }
  } catch (error) {
    surroundings.errors.write(`${complaint(error, surroundings)}\n`);
    return interrupts.signal.aborted ? interruptedStatus : 1;
  }
}

async function act(invocation: Invocation, surroundings: Surroundings, signal: AbortSignal): Promise<number> {
  switch (invocation.kind) {
    case "help":
      surroundings.output.write(`${invocation.text.trimEnd()}\n`);
      return invocation.exitCode;
    case "version":
      surroundings.output.write(`cntkts ${version}\n`);
      return 0;
    case "run":
      await runCommand(invocation, surroundings, signal);
      return 0;
    case "check":
      await checkCommand(invocation, surroundings, signal);
      return 0;
    case "explain":
      await explainCommand(invocation, surroundings);
      return 0;
    case "print-nodes":
      await printNodesCommand(invocation, surroundings);
      return 0;
    case "eval":
      await evalCommand(invocation, surroundings, signal);
      return 0;
    case "visualize":
      await visualizeCommand(invocation, surroundings, signal);
      return 0;
    case "mnist":
      await mnistCommand(invocation, surroundings);
      return 0;
    default:
      return invocation satisfies never;
  }
}

/** What the user reads: a rendered diagnostic, or for a mistake of cntkts itself one line without a stack. */
function complaint(error: unknown, surroundings: Surroundings): string {
  const debug = surroundings.environment["CNTKTS_DEBUG"] === "1";
  const stack = debug && error instanceof Error && error.stack ? `\n${error.stack}` : "";
  if (error instanceof CntkError) return renderDiagnostic(error.diagnostic) + stack;
  const message = error instanceof Error ? error.message : String(error);
  const hint = "this is a mistake in cntkts; please report it with the command line and the configuration";
  return `internal error: ${message}${debug ? stack : `\nhint: ${hint} (CNTKTS_DEBUG=1 shows where it happened)`}`;
}
