import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { ElementType } from "../numerics/values.js";
import type { Backend } from "./backend.js";
import { referenceBackend } from "./reference/index.js";

/** What a user may write after `--backend`; `tfjs` alone takes the best of its variants. */
export const backendNames = ["tfjs", "tfjs-node", "tfjs-wasm", "tfjs-cpu", "reference"] as const;
export type BackendName = (typeof backendNames)[number];

/** The element types that a backend computes in, known without loading it. */
const elementTypesOf: Readonly<Record<BackendName, readonly ElementType[]>> = {
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
}

export interface BackendChoice {
  readonly backend: Backend;
  /** Why this one and no better one, for people; one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Chooses the backend that runs a network. Asked for by name, a backend that cannot do the precision is an error; left to
 * itself, double precision runs on `reference`, float on `tfjs`, or on `reference` where that cannot start.
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
    return withNotes(await openBackend(name), notes);
  }
  if (elementType === "double") {
    notes.push("Double precision: only the reference backend computes in double.");
    return { backend: referenceBackend, notes };
  }
  try {
    return withNotes(await openBackend("tfjs"), notes);
  } catch (problem) {
    notes.push(
      `TensorFlow.js could not start (${problem instanceof Error ? problem.message : String(problem)}).`,
    );
    return { backend: referenceBackend, notes };
  }
}

function withNotes(backend: Backend, notes: readonly string[]): BackendChoice {
  return { backend, notes: [...notes, ...(backend.notes ?? [])] };
}

/** Starts a backend. TensorFlow.js is loaded only here: it takes a moment. */
export async function openBackend(name: BackendName): Promise<Backend> {
  if (name === "reference") return referenceBackend;
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
