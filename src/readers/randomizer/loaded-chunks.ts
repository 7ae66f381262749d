import type { Chunk, Deserializer } from "../deserializer.js";

/** The chunks of a deserializer that are in memory: loaded when they are wanted, released when they are not any more. */
export class LoadedChunks {
  private held = new Map<number, Chunk>();
  private wanted: readonly number[] = [];

  constructor(
    private readonly deserializer: Deserializer,
    /** Keep every chunk that was ever wanted (`keepDataInMemory`). */
    private readonly keepAll: boolean,
  ) {}

  /**
   * Brings exactly these chunks into memory, in this order; the same list as last time is known by its identity. The `next`
   * ones may be loaded meanwhile, on other threads.
   */
  async hold(chunks: readonly number[], next: readonly number[] = []): Promise<void> {
    if (chunks === this.wanted) return;
    // Whatever is not needed goes first, so that old and new do not lie in memory together.
    if (!this.keepAll) {
      const wanted = new Set(chunks);
      for (const [id, chunk] of this.held) {
        if (wanted.has(id)) continue;
        this.held.delete(id);
        chunk.release?.();
      }
    }
    this.deserializer.prepare?.([...chunks, ...next].filter((id) => !this.held.has(id)));
    for (const id of chunks) {
      if (!this.held.has(id)) this.held.set(id, await this.deserializer.chunk(id));
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
}
