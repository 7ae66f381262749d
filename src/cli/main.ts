import { runCli } from "./run-cli.js";
import { processSurroundings } from "./surroundings.js";

// `cntkts … | head` closes the pipe early: that is no error, and nobody is left to read about it.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

// The status is set, not forced, so that everything written reaches its pipe.
process.exitCode = await runCli(process.argv.slice(2), processSurroundings());
