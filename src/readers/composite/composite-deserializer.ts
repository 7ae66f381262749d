import { CntkError } from "../../diagnostics/diagnostic.js";
import {
  type Chunk,
  chunkOfEachSequence,
  type Corpus,
  type Deserializer,
  type DeserializerStream,
  type SequenceKey,
} from "../deserializer.js";

/** One of the joined deserializers. */
interface Part {
  readonly deserializer: Deserializer;
  /** Its sequence for each sequence of the whole. */
  readonly sequences: Int32Array;
  readonly chunkOf: Int32Array;
  /** Its chunks that are in memory, and how many chunks of the whole need them. */
  readonly loaded: Map<number, { chunk: Promise<Chunk>; users: number }>;
}

/**
 * Joins deserializers by the keys of their sequences. The first one is the primary: its chunks and its order are those of the
 * whole; a sequence that another one lacks is left out. A sequence is as long as the longest of its parts, or as the stream
 * says that defines the size of minibatches.
 * Source: Source/Readers/ReaderLib/Bundler.cpp.
 */
export class CompositeDeserializer implements Deserializer {
  readonly streams: readonly DeserializerStream[];
  readonly corpus: Corpus;
  private readonly parts: readonly Part[];
  /** Part and stream of each stream of the whole. */
  private readonly streamPlaces: readonly { readonly part: number; readonly stream: number }[];

  /**
   * `tell` is told of the work (`verbosity`).
   * @throws CntkError `reader-streams` when two parts define the minibatch size, `data-format` when no keys match.
   */
  constructor(
    private readonly deserializers: readonly Deserializer[],
    tell: (text: string) => void = () => undefined,
  ) {
    this.streams = deserializers.flatMap(({ streams }) => streams);
    this.streamPlaces = deserializers.flatMap(({ streams }, part) =>
      streams.map((_, stream) => ({ part, stream })),
    );
    const defining = deserializers.filter(({ streams }) => streams.some((s) => s.definesMinibatchSize));
    if (defining.length > 1) {
      throw new CntkError({
        code: "reader-streams",
        message: "Only a single deserializer is allowed to define minibatch size, at least two found.",
        hint: "definesMBSize = true may stand at one input only",
      });
    }
    const joined = join(deserializers, defining[0], (text) =>
      tell(`Bundler::CreateChunkDescriptions(): ${text}\n`),
    );
    this.corpus = joined.corpus;
    this.parts = deserializers.map((deserializer, part) => ({
      deserializer,
      sequences: joined.sequences[part] ?? new Int32Array(0),
      chunkOf: chunkOfEachSequence(deserializer.corpus),
      loaded: new Map(),
    }));
  }

  prepare(now: readonly number[], later: readonly number[]): void {
    for (const part of this.parts) {
      const wanted = this.chunksOf(part, now);
      const next = this.chunksOf(part, later).filter((chunk) => !wanted.includes(chunk));
      part.deserializer.prepare?.(wanted, next);
    }
  }

  /** Chunks of a part that are not in memory and have sequences of these chunks. */
  private chunksOf({ sequences, chunkOf, loaded }: Part, ids: readonly number[]): number[] {
    const wanted = new Set<number>();
    for (const id of ids) {
      const end = this.corpus.firstSequences[id + 1] ?? 0;
      for (let s = this.corpus.firstSequences[id] ?? 0; s < end; s++) {
        const chunk = chunkOf[sequences[s] ?? 0] ?? 0;
        if (!loaded.has(chunk)) wanted.add(chunk);
      }
    }
    return [...wanted];
  }

  async chunk(id: number): Promise<Chunk> {
    const first = this.corpus.firstSequences[id] ?? 0;
    const end = this.corpus.firstSequences[id + 1] ?? 0;
    const chunks: Map<number, Chunk>[] = [];
    try {
      for (const part of this.parts) chunks.push(await loadChunks(part, first, end));
    } catch (error) {
      // Of the part that failed nothing is held; the ones before it are let go.
      chunks.forEach((held, index) => releaseChunks(this.parts[index], held.keys()));
      throw error;
    }
    /** Where a part has a sequence of this chunk. */
    const placeIn = (index: number, sequence: number): { readonly chunk: Chunk; readonly own: number } => {
      const part = this.parts[index];
      const own = part?.sequences[first + sequence] ?? 0;
      const number = part?.chunkOf[own] ?? 0;
      const held = chunks[index]?.get(number);
      if (held === undefined) throw new Error(`chunk ${number} is not in memory`);
      return { chunk: held, own: own - (part?.deserializer.corpus.firstSequences[number] ?? 0) };
    };
    const takesWork = chunks.some((held) => [...held.values()].some((chunk) => "ready" in chunk));
    return {
      source: (stream, sequence) => {
        const place = this.placeOf(stream);
        const { chunk, own } = placeIn(place.part, sequence);
        return chunk.source(place.stream, own);
      },
      ...(takesWork && {
        ready: (sequence: number) => this.readySequence(this.parts.map((_, i) => placeIn(i, sequence))),
      }),
      release: () => chunks.forEach((held, index) => releaseChunks(this.parts[index], held.keys())),
    };
  }

  /** All parts are begun at once, in their order. */
  private async readySequence(
    places: readonly { readonly chunk: Chunk; readonly own: number }[],
  ): Promise<Pick<Chunk, "source"> | undefined> {
    const ready = await Promise.all(
      places.map(({ chunk, own }) => (chunk.ready ? chunk.ready(own) : Promise.resolve(chunk))),
    );
    if (ready.includes(undefined)) return undefined;
    return {
      source: (stream) => {
        const place = this.placeOf(stream);
        const part = ready[place.part];
        if (!part) throw new Error(`there is no stream ${stream}`);
        return part.source(place.stream, places[place.part]?.own ?? 0);
      },
    };
  }

  private placeOf(stream: number): { readonly part: number; readonly stream: number } {
    const place = this.streamPlaces[stream];
    if (place === undefined) throw new Error(`there is no stream ${stream}`);
    return place;
  }

  key(sequence: number): SequenceKey {
    const [primary] = this.parts;
    return primary === undefined ? sequence : primary.deserializer.key(primary.sequences[sequence] ?? 0);
  }

  find(key: SequenceKey): number | undefined {
    const [primary] = this.parts;
    const own = primary?.deserializer.find(key);
    const found = own === undefined ? -1 : (primary?.sequences.indexOf(own) ?? -1);
    return found < 0 ? undefined : found;
  }

  async close(): Promise<void> {
    for (const deserializer of this.deserializers) await deserializer.close();
  }
}

/** Finds the sequences that all deserializers have. */
function join(
  deserializers: readonly Deserializer[],
  defining: Deserializer | undefined,
  tell: (text: string) => void,
): { corpus: Corpus; sequences: Int32Array[] } {
  const [primary, ...others] = deserializers;
  if (primary === undefined) throw new Error("no deserializers to join");
  const { corpus } = primary;
  tell("started");
  tell(`creating descriptions for ${corpus.firstSequences.length - 1} chunks`);
  tell("starting to clean chunks");
  const lengths: number[] = [];
  const firstSequences: number[] = [];
  const sequences: number[][] = deserializers.map(() => []);
  for (let chunk = 0; chunk + 1 < corpus.firstSequences.length; chunk++) {
    const before = lengths.length;
    let samples = 0;
    const end = corpus.firstSequences[chunk + 1] ?? 0;
    for (let s = corpus.firstSequences[chunk] ?? 0; s < end; s++) {
      const found = [s, ...others.map((other) => other.find(primary.key(s)) ?? -1)];
      if (found.includes(-1)) continue;
      const lengthIn = (part: number): number => deserializers[part]?.corpus.lengths[found[part] ?? 0] ?? 0;
      const length =
        defining === undefined
          ? Math.max(...found.map((_, part) => lengthIn(part)))
          : lengthIn(deserializers.indexOf(defining));
      lengths.push(length);
      samples += length;
      found.forEach((own, part) => sequences[part]?.push(own));
    }
    if (samples > 0) firstSequences.push(before);
    else {
      // A chunk without samples is left out.
      lengths.length = before;
      for (const list of sequences) list.length = before;
    }
  }
  tell(`finished cleaning of ${firstSequences.length} chunks`);
  if (firstSequences.length === 0) {
    throw new CntkError({
      code: "data-format",
      message:
        "Could not reconcile data between different deserializers. Keys of logical sequences do not match.",
      hint: "the numbers at the beginning of the lines must occur in every file; lines without numbers count from 0",
    });
  }
  firstSequences.push(lengths.length);
  return {
    corpus: { lengths: Int32Array.from(lengths), firstSequences: Int32Array.from(firstSequences) },
    sequences: sequences.map((list) => Int32Array.from(list)),
  };
}

/** The chunks of a part that the sequences from `first` to `end` of the whole need, each counted as used. */
async function loadChunks(part: Part, first: number, end: number): Promise<Map<number, Chunk>> {
  const held = new Map<number, Chunk>();
  try {
    for (let s = first; s < end; s++) {
      const id = part.chunkOf[part.sequences[s] ?? 0] ?? 0;
      if (held.has(id)) continue;
      const entry = part.loaded.get(id) ?? { chunk: part.deserializer.chunk(id), users: 0 };
      part.loaded.set(id, entry);
      entry.users++;
      try {
        held.set(id, await entry.chunk);
      } catch (error) {
        part.loaded.delete(id);
        throw error;
      }
    }
  } catch (error) {
    releaseChunks(part, held.keys());
    throw error;
  }
  return held;
}

function releaseChunks(part: Part | undefined, ids: Iterable<number>): void {
  for (const id of ids) {
    const entry = part?.loaded.get(id);
    if (entry === undefined || --entry.users > 0) continue;
    part?.loaded.delete(id);
    void entry.chunk.then((chunk) => chunk.release?.());
  }
}
