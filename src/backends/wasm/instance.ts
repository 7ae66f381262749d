import { engine, type CompiledModule, type Imports } from "./emit/engine.js";
import { mathematics } from "./kernels/host-functions.js";
import type { Hosting, PieceWork } from "./program.js";
import type { SharedCode } from "./team.js";

/** What a program exports: parts of entries, and its phases. */
export type Exports = Readonly<Record<string, unknown>>;

/** Puts a program's modules to work on its memory. */
export function instantiate(
  { kernels, modules, memory, elementType }: SharedCode,
  hosting: Hosting,
): Exports {
  const imports = { host: { memory, ...hosting }, mathematics: mathematics(elementType) };
  const exportsOf = (module: CompiledModule, others: Imports) =>
    new engine.Instance(module, { ...imports, ...others }).exports;
  const others: Record<string, unknown> = {};
  kernels.forEach((module, i) => (others[i] = exportsOf(module, {})["run"]));
  return Object.assign({}, ...modules.map((module) => exportsOf(module, { kernels: others }))) as Exports;
}

/** The function that carries out a piece of a phase. */
export function pieceWork(exports: Exports, phase: number): PieceWork {
  return exports[`phase${phase}`] as PieceWork;
}

/** Does the pieces that this thread is given of another one's phases; what only that one may do is a mistake here. */
export function helper(code: SharedCode): (phase: number) => PieceWork {
  const never = () => {
    throw new Error("a piece of a phase called the host");
  };
  const exports = instantiate(code, { step: never, loop: never, frame: never, phase: never });
  return (phase) => pieceWork(exports, phase);
}
