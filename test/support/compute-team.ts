import { pathToFileURL } from "node:url";
import { ComputeTeam } from "../../src/threads/compute-team.js";
import { builtProgram } from "./program.js";

let entry: URL | undefined;

/** So many threads that compute together; the other ones run the program as it is built. */
export function computeTeam(size: number): ComputeTeam {
  entry ??= new URL("../threads/compute-supervisor.js", pathToFileURL(builtProgram()));
  return new ComputeTeam(size, entry);
}
