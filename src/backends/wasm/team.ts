import type { ElementType } from "../../numerics/values.js";
import type { CompiledModule, LinearMemory } from "./emit/engine.js";
import type { PieceWork } from "./program.js";

/*
 * Who carries out the pieces of a phase. The backend knows no threads: whoever starts it may bring some (src/threads).
 */

/** Compiled code with its memory: what another thread needs to take part. */
export interface SharedCode {
  readonly kernels: readonly CompiledModule[];
  readonly modules: readonly CompiledModule[];
  readonly memory: LinearMemory;
  readonly elementType: ElementType;
}

/** Threads that compute together. */
export interface Team {
  /** How many there are at most, this one included. */
  readonly size: number;
  /** Lets the others take part in an executable's phases, until it is dismissed. */
  enlist(code: SharedCode): Crew;
}

/** The threads that work for one executable. */
export interface Crew {
  /**
   * Carries out the pieces of a phase: `total` columns or units, `size` a piece; returns when all are done. `own` does a piece on
   * this thread.
   * @throws CntkError `thread-lost` when a thread ended before its piece was done
   */
  run(phase: number, total: number, size: number, own: PieceWork): void;
  dismiss(): void;
}

/** All pieces of a phase, one after another; of nothing there is one, too. */
export function pieceByPiece(total: number, size: number, own: PieceWork): void {
  for (let index = 0, first = 0; index === 0 || first < total; index++, first += size) {
    own(first, Math.min(size, total - first), index, 0);
  }
}

/** This thread alone. */
export const alone: Team = {
  size: 1,
  enlist: () => ({
    run: (_, total, size, own) => pieceByPiece(total, size, own),
    dismiss: () => undefined,
  }),
};
