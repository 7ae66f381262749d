import { CntkError } from "../../diagnostics/diagnostic.js";
import type { RandomAccessFile } from "../../files/file-access.js";
import { missingFileHint } from "../../files/missing-file.js";
import type { ElementType } from "../../numerics/values.js";
import type {
  Chunk,
  Corpus,
  Deserializer,
  DeserializerStream,
  SequenceBlock,
  SequenceKey,
} from "../deserializer.js";
import type { ReaderSurroundings } from "../reader.js";
import { readBlock } from "./binary-block.js";
import { type BinaryFile, binaryError, readBinaryFile, viewOf } from "./binary-file.js";

/** A larger chunk could not be held. */
const largestChunk = 2 ** 32;

/**
 * A file in CNTK's binary format: chunks of sequences, each input apart. Sequences are numbered from 0.
 * Source: Source/Readers/CNTKBinaryReader/BinaryChunkDeserializer.cpp.
 */
export class BinaryDeserializer implements Deserializer {
  readonly streams: readonly DeserializerStream[];
  readonly corpus: Corpus;
  private readonly file: RandomAccessFile;
  private readonly content: BinaryFile;

  /**
   * `renamed` gives the stream's name for a name in the file.
   * @throws CntkError `file-missing`, `data-format`.
   */
  constructor(
    private readonly name: string,
    private readonly elementType: ElementType,
    renamed: ReadonlyMap<string, string>,
    { files }: ReaderSurroundings,
  ) {
    if (!files.exists(name)) {
      throw new CntkError({
        code: "file-missing",
        message: `CNTKBinaryReader: While reading '${name}': error opening file '${name}': No such file or directory`,
        hint: missingFileHint(files, name),
      });
    }
    this.file = files.open(name);
    try {
      this.content = readBinaryFile(this.file, name, elementType);
      this.corpus = this.readLengths();
    } catch (error) {
      this.file.close();
      throw error;
    }
    this.streams = this.content.inputs.map((input) => ({
      name: renamed.get(input.name) ?? input.name,
      dimension: input.dimension,
      storage: input.storage,
      elementType,
      sampleShape: [input.dimension],
      definesMinibatchSize: false,
    }));
  }

  async chunk(id: number): Promise<Chunk> {
    const { inputs, chunks } = this.content;
    const chunk = chunks[id];
    if (chunk === undefined) throw new Error(`there is no chunk ${id}`);
    const begin = chunk.offset + 4 * chunk.sequences;
    const bytes = this.read(begin, chunk.end - begin);
    const complain = (text: string): Error => binaryError(this.name, `${text} (chunk ${id})`);
    const blocks: SequenceBlock[] = [];
    let position = 0;
    for (const input of inputs) {
      const read = readBlock(bytes, position, chunk.sequences, input, this.elementType, complain);
      blocks.push(read.block);
      position = read.end;
    }
    return {
      source: (stream, index) => {
        const block = blocks[stream];
        if (block === undefined) throw new Error(`there is no stream ${stream}`);
        return { block, index };
      },
    };
  }

  key(sequence: number): SequenceKey {
    return sequence;
  }

  find(key: SequenceKey): number | undefined {
    return typeof key === "number" && key < this.corpus.lengths.length ? key : undefined;
  }

  async close(): Promise<void> {
    this.file.close();
  }

  /** Every chunk begins with the lengths of its sequences. */
  private readLengths(): Corpus {
    const { chunks } = this.content;
    const firstSequences = new Int32Array(chunks.length + 1);
    chunks.forEach(({ sequences }, i) => (firstSequences[i + 1] = (firstSequences[i] ?? 0) + sequences));
    const lengths = new Int32Array(firstSequences[chunks.length] ?? 0);
    chunks.forEach(({ offset, sequences }, i) => {
      const view = viewOf(this.read(offset, 4 * sequences));
      for (let s = 0; s < sequences; s++) {
        const length = view.getUint32(4 * s, true);
        if (length > 2 ** 31 - 1)
          throw binaryError(this.name, `sequence ${s} of chunk ${i} is ${length} samples long`);
        lengths[(firstSequences[i] ?? 0) + s] = length;
      }
    });
    if (lengths.some((length) => length > 0)) return { lengths, firstSequences };
    throw binaryError(
      this.name,
      "Expected input to contain samples, but the number of successfully read samples was 0.",
    );
  }

  private read(offset: number, length: number): Uint8Array {
    if (length > largestChunk)
      throw binaryError(this.name, `a chunk of ${length} bytes does not fit into memory`);
    const bytes = this.file.read(offset, length);
    if (bytes.length === length) return bytes;
    throw binaryError(this.name, "the file became shorter while it was being read");
  }
}
