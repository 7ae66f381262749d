import { pathToFileURL } from "node:url";
import { ComputeTeam } from "../../src/threads/compute-team.js";
import { builtProgram } from "./program.js";

/** Makes teams of so many threads; the other threads run the program as it is built. To be called before the first test. */
export function computeTeams(): (size: number) => ComputeTeam {
  const entry = new URL("../threads/compute-supervisor.js", pathToFileURL(builtProgram()));
  return (size) => new ComputeTeam(size, entry);
}
