import type { Chunk, Deserializer } from "../deserializer.js";

/**
 * What chunks that nobody wants at the moment may take, in bytes. Of several workers each has other chunks in every sweep; what
 * it had in the last one may come back, and need not be read again.
 */
const spareBytes = 256 * 2 ** 20;

/**
 * The chunks of a deserializer that are in memory: loaded when they are wanted. Those that are wanted no more stay as far as
 * there is room: never more chunks than one worker alone would hold, nor more than `spareBytes`.
 */
export class LoadedChunks {
  /** In the order in which they were last wanted. */
  private readonly held = new Map<number, Chunk>();
  private wanted: readonly number[] = [];

  constructor(
    private readonly deserializer: Deserializer,
    /** Keep every chunk that was ever wanted (`keepDataInMemory`). */
    private readonly keepAll: boolean,
  ) {}

  /**
   * Brings these chunks into memory, in this order; the same list as last time is known by its identity. The `next` ones may
   * be loaded meanwhile, on other threads. `room` chunks may stay in memory in all, if they are small.
   */
  async hold(chunks: readonly number[], next: readonly number[] = [], room = 0): Promise<void> {
    if (chunks === this.wanted) return;
    // Whatever has no place goes first, so that old and new do not lie in memory together.
    if (!this.keepAll) this.makeRoom(new Set(chunks), room);
    const isMissing = (id: number): boolean => !this.held.has(id);
    this.deserializer.prepare?.(chunks.filter(isMissing), next.filter(isMissing));
    for (const id of chunks) {
      const chunk = this.held.get(id) ?? (await this.deserializer.chunk(id));
      this.held.delete(id);
      this.held.set(id, chunk);
    }
    this.wanted = chunks;
  }

  get(chunk: number): Chunk {
    const found = this.held.get(chunk);
    if (!found) throw new Error(`chunk ${chunk} is not in memory`);
    return found;
  }

  clear(): void {
    for (const chunk of this.held.values()) chunk.release?.();
    this.held.clear();
    this.wanted = [];
  }

  /** Lets go of what is not wanted and has no place, the oldest first. */
  private makeRoom(wanted: ReadonlySet<number>, room: number): void {
    let places = room - wanted.size;
    let bytes = 0;
    for (const [id, chunk] of [...this.held].reverse()) {
      if (wanted.has(id)) continue;
      bytes += chunk.bytes ?? Infinity;
      if (places-- > 0 && bytes <= spareBytes) continue;
      this.held.delete(id);
      chunk.release?.();
    }
  }
}
