import { MersenneTwister64 } from "./mersenne-twister.js";

/** Draws numbers from 0 up to but not including a limit. */
export interface Draws {
  nextModulo(limit: number): number;
}

/** Positions of chunks, in the shuffled order: from `begin` up to but not including `end`. */
export interface ChunkWindow {
  readonly begin: number;
  readonly end: number;
}

/**
 * The order in which a sweep visits its chunks: element i is swapped with an element of the whole list, for every i
 * (which is not Fisher-Yates). Returns original chunk numbers by position.
 * Source: Source/Readers/ReaderLib/ChunkRandomizer.cpp.
 */
export function shuffledChunks(
  chunkCount: number,
  seed: number | bigint,
  engine: Draws = new MersenneTwister64(seed),
): Int32Array {
  const order = Int32Array.from({ length: chunkCount }, (_, i) => i);
  for (let i = 0; i < chunkCount; i++) swap(order, i, engine.nextModulo(chunkCount));
  return order;
}

/**
 * For each position of the chunk list, the positions among which its sequences may be mixed; `window` counts chunks.
 * Source: Source/Readers/ReaderLib/ChunkRandomizer.cpp.
 */
export function chunkWindows(chunkCount: number, window: number): ChunkWindow[] {
  const size = Math.max(window, 1);
  const half = Math.floor(size / 2);
  return Array.from({ length: chunkCount }, (_, i) => {
    const begin = Math.max(0, i - half);
    if (begin + size <= chunkCount) return { begin, end: begin + size };
    return { begin: Math.max(0, chunkCount - size), end: chunkCount };
  });
}

/**
 * The same with a window that counts samples. `sampleCounts` holds the samples of each chunk by position.
 * Source: Source/Readers/ReaderLib/ChunkRandomizer.cpp.
 */
export function sampleWindows(sampleCounts: ArrayLike<number>, window: number): ChunkWindow[] {
  const half = Math.floor(window / 2);
  const starts = new Float64Array(sampleCounts.length + 1);
  for (let i = 0; i < sampleCounts.length; i++) {
    starts[i + 1] = (starts[i] as number) + (sampleCounts[i] as number);
  }
  const windows: ChunkWindow[] = [];
  let begin = 0;
  let end = 1;
  for (let i = 0; i < sampleCounts.length; i++) {
    const start = starts[i] as number;
    while (start - (starts[begin] as number) > half) begin++;
    begin = Math.min(begin, i);
    end = Math.max(end, i + 1);
    while (end < sampleCounts.length && (starts[end + 1] as number) - start < half) end++;
    windows.push({ begin, end });
  }
  return windows;
}

/** The chunks of a sweep in their shuffled order, with what the mixing of their sequences needs. */
export interface ChunkOrder {
  /** Original chunk number by position. */
  readonly order: ArrayLike<number>;
  /** Window of each position. */
  readonly windows: readonly ChunkWindow[];
  /** First sequence of each original chunk in the file, and at the end the number of all sequences. */
  readonly firstSequences: ArrayLike<number>;
}

/**
 * The order of a sweep's sequences: position by position, the sequence there is swapped with one of its chunk's window,
 * drawn again until both may live where they come to lie. Returns numbers of sequences in the file, by position.
 * Source: Source/Readers/ReaderLib/SequenceRandomizer.cpp.
 */
export function shuffledSequences(
  chunks: ChunkOrder,
  seed: number | bigint,
  engine: Draws = new MersenneTwister64(seed),
): Int32Array {
  const { order, windows, firstSequences } = chunks;
  const chunkCount = order.length;
  const starts = new Int32Array(chunkCount + 1);
  const sequences = new Int32Array(firstSequences[chunkCount] ?? 0);
  // The position of the chunk a sequence came with: sequences carry it along when they are swapped.
  const homes = new Int32Array(sequences.length);
  for (let i = 0, at = 0; i < chunkCount; i++) {
    const chunk = order[i] as number;
    starts[i] = at;
    for (let s = firstSequences[chunk] as number; s < (firstSequences[chunk + 1] as number); s++) {
      sequences[at] = s;
      homes[at++] = i;
    }
    starts[i + 1] = at;
  }
  for (let i = 0; i < chunkCount; i++) {
    const { begin, end } = windows[i] as ChunkWindow;
    const first = starts[begin] as number;
    const count = (starts[end] as number) - first;
    for (let t = starts[i] as number; t < (starts[i + 1] as number); t++) {
      for (;;) {
        const j = first + engine.nextModulo(count);
        // While positions ascend, j's chunk is the one whose range holds j; its own position is not stored.
        const other = chunkAt(starts, j, begin, end);
        if (!contains(windows[i] as ChunkWindow, homes[j] as number)) continue;
        if (!contains(windows[other] as ChunkWindow, homes[t] as number)) continue;
        swap(sequences, t, j);
        swap(homes, t, j);
        break;
      }
    }
  }
  return sequences;
}

/** Is the home chunk of a sequence within the window of the chunk where it would come to lie? */
function contains(window: ChunkWindow, home: number): boolean {
  return home >= window.begin && home < window.end;
}

function chunkAt(starts: Int32Array, position: number, begin: number, end: number): number {
  let low = begin;
  let high = end;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] as number) <= position) low = middle;
    else high = middle;
  }
  return low;
}

function swap(values: Int32Array, a: number, b: number): void {
  const value = values[a] as number;
  values[a] = values[b] as number;
  values[b] = value;
}
