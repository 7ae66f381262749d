import { CntkError } from "../../diagnostics/diagnostic.js";
import { engine, type LinearMemory, mostPages } from "./emit/engine.js";

const pageSize = 65536;
/** Every piece begins at a cache line. */
const alignment = 64;

interface Piece {
  begin: number;
  end: number;
}

/**
 * Pieces of one linear memory. The memory is shared, so that arrays over it stay valid when it grows; where none may be shared it
 * does not grow, and has all its room from the beginning.
 * @throws CntkError `out-of-memory`.
 */
export class Arena {
  readonly memory: LinearMemory;
  /** Free pieces in order of their places; neighbours are joined. */
  private readonly free: Piece[] = [];
  private readonly sizes = new Map<number, number>();
  private end: number;

  /** The first `reserved` bytes are the caller's. `room`: all that there will ever be, of memory that is not shared. */
  constructor(
    reserved: number,
    private readonly room?: number,
  ) {
    const initial = Math.ceil((reserved + (room ?? 0)) / pageSize) + 1;
    const [maximum, shared] = room === undefined ? [mostPages, true] : [initial, false];
    try {
      this.memory = new engine.Memory({ initial, maximum, shared });
    } catch {
      throw shared ? noAddresses() : outOfMemory(initial * pageSize);
    }
    this.end = initial * pageSize;
    this.free.push({ begin: Math.ceil(reserved / alignment) * alignment, end: this.end });
  }

  get buffer(): ArrayBufferLike {
    return this.memory.buffer;
  }

  /** Place of a new piece; what stands in it is anything. */
  allocate(bytes: number): number {
    const size = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
    let index = this.free.findIndex(({ begin, end }) => end - begin >= size);
    if (index < 0) index = this.grow(size);
    const piece = this.free[index] as Piece;
    const place = piece.begin;
    piece.begin += size;
    if (piece.begin === piece.end) this.free.splice(index, 1);
    this.sizes.set(place, size);
    return place;
  }

  /** Gives a piece back. */
  release(place: number): void {
    const size = this.sizes.get(place);
    if (size === undefined) return;
    this.sizes.delete(place);
    this.insert({ begin: place, end: place + size });
  }

  private grow(size: number): number {
    const last = this.free.at(-1);
    const lacking = size - (last && last.end === this.end ? last.end - last.begin : 0);
    const pages = Math.ceil(lacking / pageSize);
    try {
      this.memory.grow(pages);
    } catch {
      throw outOfMemory(this.end + pages * pageSize);
    }
    const begin = this.end;
    this.end += pages * pageSize;
    return this.insert({ begin, end: this.end });
  }

  /** Puts a free piece into the list; returns the index of what it became a part of. */
  private insert(piece: Piece): number {
    let index = this.free.findIndex(({ begin }) => begin > piece.begin);
    if (index < 0) index = this.free.length;
    const before = this.free[index - 1];
    const after = this.free[index];
    if (after && piece.end === after.begin) {
      after.begin = piece.begin;
      if (before?.end !== piece.begin) return index;
      before.end = after.end;
      this.free.splice(index, 1);
      return index - 1;
    }
    if (before?.end === piece.begin) {
      before.end = piece.end;
      return index - 1;
    }
    this.free.splice(index, 0, piece);
    return index;
  }
}

function noAddresses(): CntkError {
  return new CntkError({
    code: "out-of-memory",
    message: "The addresses that WebAssembly's memory reserves, some 10 GB, cannot be had.",
    hint: "lift the limit of this process's address space (ulimit -v unlimited), or take --backend javascript",
  });
}

function outOfMemory(bytes: number): CntkError {
  return new CntkError({
    code: "out-of-memory",
    message: `There is not enough memory for the network: ${Math.ceil(bytes / 2 ** 20)} MB cannot be had.`,
    hint: "a smaller minibatchSize needs less; --backend javascript is not bound to 4 GB",
  });
}
