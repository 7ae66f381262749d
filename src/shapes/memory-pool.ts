import { stdSort } from "./std-sort.js";

/** What a matrix is for; two requests for the same key are one. */
export type MatrixKey = string;

interface Request {
  readonly key: MatrixKey;
  readonly elements: number;
  /** Grows with the minibatch. */
  readonly scaled: boolean;
  readonly workspace: boolean;
  /** Step of the request and of the release; a matrix that is never released lives for ever. */
  readonly from: number;
  to: number;
}

interface PoolBuffer {
  readonly keys: MatrixKey[];
  readonly occupied: (readonly [from: number, to: number])[];
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
      assignBuffers(sorted.filter((request) => request.workspace === workspace)).map((buffer) => buffer.keys),
    );
  }
}

function assignBuffers(requests: readonly Request[]): PoolBuffer[] {
  const buffers: PoolBuffer[] = [];
  const place = (request: Request, fitting: PoolBuffer | undefined): PoolBuffer | undefined => {
    const buffer = fitting ?? { keys: [], occupied: [] };
    buffer.keys.push(request.key);
    buffer.occupied.push([request.from, request.to]);
    return fitting ? undefined : buffer;
  };
  for (const request of requests.filter(({ scaled }) => scaled)) {
    const made = place(
      request,
      buffers.find((buffer) => isFree(buffer, request)),
    );
    if (made) buffers.unshift(made);
  }
  // Those that do not grow go into the smallest buffer that is free.
  for (const request of requests.filter(({ scaled }) => !scaled)) {
    const made = place(
      request,
      buffers.findLast((buffer) => isFree(buffer, request)),
    );
    if (made) buffers.push(made);
  }
  return buffers;
}

function isFree(buffer: PoolBuffer, request: Request): boolean {
  return !buffer.occupied.some(([from, to]) => request.from <= to && request.to >= from);
}
