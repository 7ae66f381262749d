import type { Terminal } from "./progress-bar.js";

/** All that the command line takes from its process; tests hand in their own. */
export interface Surroundings {
  readonly output: Terminal;
  readonly errors: Terminal;
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
  return {
    output: process.stdout,
    errors: process.stderr,
    directory: process.cwd(),
    environment: process.env,
    onInterrupt: (callback) => {
      process.on("SIGINT", callback);
      return () => void process.off("SIGINT", callback);
    },
    exit: (status) => process.exit(status),
  };
}
