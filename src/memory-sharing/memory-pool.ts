import { FirstFit, type Lifetime } from "./first-fit.js";
import { stdSort } from "./std-sort.js";

/** What a matrix is for; two requests for the same key are one. */
export type MatrixKey = string;

interface Request extends Lifetime {
  readonly key: MatrixKey;
  readonly elements: number;
  /** Grows with the minibatch. */
  readonly scaled: boolean;
  readonly workspace: boolean;
  /** Step of the request and of the release; a matrix that is never released lives for ever. */
  readonly from: number;
  to: number;
}

/**
 * CNTK's matrix pool: matrices are requested and released in the order of a training step, then get buffers, the largest
 * first, such that two that live at the same step never share one.
 * Source: Source/ComputationNetworkLib/MatrixPool.h.
 */
export class MatrixPool {
  private readonly requests = new Map<MatrixKey, Request>();
  private step = 0;

  request(key: MatrixKey, elements: number, scaled: boolean, workspace = false): void {
    if (this.requests.has(key)) return;
    this.requests.set(key, { key, elements, scaled, workspace, from: this.step++, to: Infinity });
  }

  release(key: MatrixKey): void {
    const request = this.requests.get(key);
    if (request) request.to = this.step++;
  }

  /** Counts a step without releasing anything (a delay node's value, which is not in the pool). */
  skipStep(): void {
    this.step++;
  }

  /** The matrices of each buffer. */
  buffers(): readonly (readonly MatrixKey[])[] {
    const sorted = [...this.requests.values()];
    stdSort(sorted, (a, b) => a.elements > b.elements);
    return [true, false].flatMap((workspace) =>
      assignBuffers(sorted.filter((request) => request.workspace === workspace)),
    );
  }
}

/** The matrices of each buffer: those that grow with the minibatch get theirs first, the others may join them. */
function assignBuffers(requests: readonly Request[]): MatrixKey[][] {
  const scaled = requests.filter((request) => request.scaled);
  const fixed = requests.filter((request) => !request.scaled);
  const [scaledBuffers, fixedBuffers] = [new FirstFit(scaled.length), new FirstFit(fixed.length)];
  const scaledKeys: MatrixKey[][] = [];
  const fixedKeys: MatrixKey[][] = [];
  const place = (
    request: Request,
    buffers: FirstFit,
    keys: MatrixKey[][],
    found: number | undefined,
  ): void => {
    if (found !== undefined) buffers.occupy(found, request);
    const index = found ?? buffers.add(request);
    (keys[index] ??= []).push(request.key);
  };
  // CNTK keeps one list: new buffers that grow go to its front and the first free one is taken, so the latest made; the
  // others go to its end, and the last free one is taken.
  for (const request of scaled)
    place(request, scaledBuffers, scaledKeys, scaledBuffers.find(request, "last"));
  for (const request of fixed) {
    const own = fixedBuffers.find(request, "last");
    const shared = own === undefined ? scaledBuffers.find(request, "first") : undefined;
    if (shared === undefined) place(request, fixedBuffers, fixedKeys, own);
    else place(request, scaledBuffers, scaledKeys, shared);
  }
  return [...scaledKeys, ...fixedKeys];
}
