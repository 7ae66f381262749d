import { type BackendName, backendNames } from "../choices.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { ElementType } from "../numerics/values.js";
import type { Backend } from "./backend.js";
import { canReserve, missingForWasm } from "./wasm/emit/engine.js";
import type { Team } from "./wasm/team.js";

/** The element types that a backend computes in, known without loading it. */
const elementTypesOf: Readonly<Record<BackendName, readonly ElementType[]>> = {
  wasm: ["float", "double"],
  javascript: ["float", "double"],
  tfjs: ["float"],
  "tfjs-node": ["float"],
  "tfjs-wasm": ["float"],
  "tfjs-cpu": ["float"],
  reference: ["float", "double"],
};

export interface BackendRequest {
  /** As given by `--backend`; absent = choose. */
  readonly requested?: string | undefined;
  readonly elementType: ElementType;
  /** CNTK's: −1 or less is the CPU, 0 and more a GPU's number. */
  readonly deviceId: number;
  /** Threads that may compute; absent: this one alone. */
  readonly team?: Team | undefined;
  /** May sums of products in float round once where they otherwise round twice? Faster; other processors give other last digits. */
  readonly fused?: boolean | undefined;
}

type WasmRequest = Pick<BackendRequest, "team" | "fused">;

export interface BackendChoice {
  readonly backend: Backend;
  /** Why this one and no better one, for people; one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Chooses the backend that runs a network. Asked for by name, a backend that cannot do the precision is an error; the choice
 * left open, `wasm` takes either precision where the engine can run it, else `javascript` does (bench/run.mjs prints what each
 * backend manages).
 * @throws CntkError `unknown-backend`, `backend-precision`.
 */
export async function selectBackend(request: BackendRequest): Promise<BackendChoice> {
  const { requested, elementType, deviceId } = request;
  const notes: string[] = [];
  if (deviceId >= 0) {
    notes.push(
      `deviceId=${deviceId} asks for a GPU; no backend of this version uses one, so the CPU does the work.`,
    );
  }
  if (requested !== undefined) {
    const name = knownName(requested);
    if (!elementTypesOf[name].includes(elementType)) {
      throw new CntkError({
        code: "backend-precision",
        message: `The backend '${name}' computes in ${elementTypesOf[name].join(" and ")} only, but precision="${elementType}" is asked for.`,
        hint: `leave out --backend, or choose one of: ${namesFor(elementType)}`,
      });
    }
    return withNotes(await openBackend(name, request), notes);
  }
  return withNotes(await fastestBackend(notes, request), notes);
}

/** The compiled backend where the engine can run it, else the generated loops. */
function fastestBackend(notes: string[], request: WasmRequest): Promise<Backend> {
  const reason = whyNotWasm();
  if (reason === undefined) return openBackend("wasm", request);
  notes.push(`The backend 'wasm' cannot run here: ${reason}.`);
  return openBackend("javascript");
}

function whyNotWasm(): string | undefined {
  const missing = missingForWasm();
  if (missing !== undefined) return `this JavaScript engine has no ${missing}`;
  return canReserve() ? undefined : "its addresses, some 10 GB, cannot be had (ulimit -v)";
}

function withNotes(backend: Backend, notes: readonly string[]): BackendChoice {
  return { backend, notes: [...notes, ...(backend.notes ?? [])] };
}

/**
 * Starts a backend. What it is made of is loaded when it compiles its first plan (a check never does), TensorFlow.js at once.
 * What `request` allows, a backend that can makes use of.
 */
export async function openBackend(name: BackendName, request: WasmRequest = {}): Promise<Backend> {
  if (name === "javascript")
    return loadedLater(name, async () => (await import("./javascript/index.js")).javascriptBackend);
  if (name === "reference")
    return loadedLater(name, async () => (await import("./reference/index.js")).referenceBackend);
  if (name === "wasm") {
    return loadedLater(name, async () => {
      const { createWasmBackend } = await import("./wasm/index.js");
      return createWasmBackend(request.team, undefined, request.fused);
    });
  }
  const { createTfjsBackend } = await import("./tfjs/index.js");
  switch (name) {
    case "tfjs":
      return createTfjsBackend();
    case "tfjs-node":
      return createTfjsBackend({ variant: "node" });
    case "tfjs-wasm":
      return createTfjsBackend({ variant: "wasm" });
    case "tfjs-cpu":
      return createTfjsBackend({ variant: "cpu" });
    default:
      return name satisfies never;
  }
}

function loadedLater(name: BackendName, load: () => Promise<Backend>): Backend {
  let backend: Promise<Backend> | undefined;
  return {
    name,
    description: name,
    elementTypes: elementTypesOf[name],
    compile: async (plan) => (await (backend ??= load())).compile(plan),
  };
}

function knownName(requested: string): BackendName {
  const name = backendNames.find((candidate) => candidate === requested);
  if (name) return name;
  throw new CntkError({
    code: "unknown-backend",
    message: `There is no backend '${requested}'.`,
    hint: didYouMean(requested, backendNames) ?? `choose one of: ${backendNames.join(", ")}`,
  });
}

/** Names of the backends that can do an element type, for a hint. */
function namesFor(elementType: ElementType): string {
  return backendNames.filter((name) => elementTypesOf[name].includes(elementType)).join(", ");
}
