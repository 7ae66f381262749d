import { runCli } from "./run-cli.js";
import { processSurroundings } from "./surroundings.js";

// The status is set, not forced, so that everything written reaches its pipe.
process.exitCode = await runCli(process.argv.slice(2), processSurroundings());
