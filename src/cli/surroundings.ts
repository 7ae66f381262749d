import { CntkError } from "../diagnostics/diagnostic.js";
import { reasonOf } from "../node/failures.js";
import { OutputStream } from "./output-stream.js";
import type { Terminal } from "./progress-bar.js";

/** All that the command line takes from its process; tests hand in their own. */
export interface Surroundings {
  readonly output: Terminal;
  readonly errors: Terminal;
  /** Waits until all output has been taken, and tells what could not be written. */
  readonly lostOutput?: () => Promise<CntkError | undefined>;
  /** Folder that relative paths count from. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Calls back at every Ctrl-C until the function returned is called. */
  readonly onInterrupt: (callback: () => void) => () => void;
  /** Ends the process at once: the user insists. */
  readonly exit: (status: number) => void;
}

/** The surroundings of this process. */
export function processSurroundings(): Surroundings {
  const output = new OutputStream(process.stdout);
  const errors = new OutputStream(process.stderr);
  return {
    output,
    errors,
    lostOutput: async () => {
      for (const [stream, name] of [
        [output, "standard output"],
        [errors, "standard error"],
      ] as const) {
        const failure = await stream.finish();
        if (!failure) continue;
        const message = `error writing ${name}: ${reasonOf(failure).reason}`;
        return new CntkError({ code: "file-unwritable", message });
      }
      return undefined;
    },
    directory: process.cwd(),
    environment: process.env,
    onInterrupt: (callback) => {
      process.on("SIGINT", callback);
      return () => void process.off("SIGINT", callback);
    },
    exit: (status) => process.exit(status),
  };
}
