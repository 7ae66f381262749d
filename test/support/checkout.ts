import { cpSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./temporary-folder.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A checkout in which the examples may leave their output, with the program that `builtProgram` made; returns its folder. */
export function checkoutOf(program: string): string {
  const folder = temporaryFolder();
  for (const part of ["examples", "models"])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  for (const part of ["package.json", "node_modules"]) symlinkSync(join(root, part), join(folder, part));
  symlinkSync(join(program, "..", "..", ".."), join(folder, "dist"));
  return folder;
}
