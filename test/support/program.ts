import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { bundleForBrowsers } from "../../scripts/browser-bundle.mjs";
import { temporaryFolder } from "./temporary-folder.js";

/**
 * For every process that a test starts: one that does not end is ended, and fails its test. Nothing else would: a test that waits for
 * a process by a synchronous call, or while its file is being read, has no time limit of its own.
 */
export const endsInTime = { timeout: 200_000, killSignal: "SIGKILL" } as const;

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/**
 * The program as users have it, made from the sources as they are now: types are taken off, nothing is checked. Returns
 * the path of a script for `node`.
 */
export function builtProgram(): string {
  const place = temporaryFolder();
  for (const top of ["grammar", "src"]) {
    for (const name of readdirSync(join(root, top), { recursive: true, encoding: "utf8" })) {
      const source = join(root, top, name);
      const target = join(place, top, name);
      if (name.endsWith(".ts")) {
        mkdirSync(dirname(target), { recursive: true });
        const { outputText } = ts.transpileModule(readFileSync(source, "utf8"), {
          fileName: source,
          compilerOptions: {
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.ESNext,
            verbatimModuleSyntax: true,
          },
        });
        writeFileSync(target.replace(/\.ts$/, ".js"), outputText);
      } else if (name.endsWith(".bs") || name.endsWith(".css")) {
        cpSync(source, target);
      }
    }
  }
  cpSync(join(root, "package.json"), join(place, "package.json"));
  symlinkSync(join(root, "node_modules"), join(place, "node_modules"), "dir");
  return join(place, "src", "cli", "main.js").split(sep).join("/");
}

/** The module that web pages load, put together from such a program; returns its path. */
export function browserModule(program: string): Promise<string> {
  return bundleForBrowsers(join(program, "..", "..", ".."));
}
