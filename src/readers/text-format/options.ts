import type { ElementType } from "../../numerics/values.js";

/** One stream of a text file. */
export interface TextInput {
  /** Name of the network input it feeds. */
  readonly name: string;
  /** Name in the file, after the `|`. */
  readonly alias: string;
  /** Elements of one sample. */
  readonly dimension: number;
  readonly storage: "dense" | "sparse";
  /** Only lines that mention this stream count as samples. */
  readonly definesMinibatchSize?: boolean;
}

/** What a CNTKTextFormatReader is told; everything but the first three has CNTK's default. */
export interface TextFormatOptions {
  /** Path of the data file, as written. */
  readonly file: string;
  readonly inputs: readonly TextInput[];
  readonly elementType: ElementType;
  /** Default true. */
  readonly randomize?: boolean;
  /** Width of the randomization window in chunks (or samples); default 4 GiB worth of chunks (or everything). */
  readonly randomizationWindow?: number;
  /** The window counts samples. */
  readonly sampleBasedRandomizationWindow?: boolean;
  /** Added to the number of the sweep; default 0. */
  readonly randomizationSeed?: number;
  /** Default 32 MiB. */
  readonly chunkSizeInBytes?: number;
  /** Keep every chunk that was read; changes memory and time only. */
  readonly keepDataInMemory?: boolean;
  /** Every sequence is one sample and the minibatch one time step. */
  readonly frameMode?: boolean;
  /** Every line is a sequence, whatever number it begins with. */
  readonly skipSequenceIds?: boolean;
  /** Errors to pass over during the life of the reader; default 0. */
  readonly maxErrors?: number;
  /** Prepare the next minibatch while one is in use; default true, changes time only. */
  readonly prefetch?: boolean;
  /** How much the randomization tells of its work, from 0 (the default) to 3. */
  readonly verbosity?: number;
  /** 0: no warnings; 1 (default): warnings; 2: information. */
  readonly traceLevel?: number;
}

export const defaultChunkSize = 32 * 1024 * 1024;

/** Window of a reader that names none: this many bytes worth of chunks. */
export const defaultWindowInBytes = 4 * 1024 * 1024 * 1024;
