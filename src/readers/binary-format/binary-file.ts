import { CntkError } from "../../diagnostics/diagnostic.js";
import type { RandomAccessFile } from "../../files/file-access.js";
import type { ElementType } from "../../numerics/values.js";

/** An input as the header of a binary file describes it. */
export interface BinaryInput {
  readonly name: string;
  readonly storage: "dense" | "sparse";
  readonly dimension: number;
}

/** A chunk as the table behind the header describes it. */
export interface BinaryChunk {
  readonly offset: number;
  readonly sequences: number;
  /** Where its data ends. */
  readonly end: number;
}

/** What a binary file says of itself. */
export interface BinaryFile {
  readonly inputs: readonly BinaryInput[];
  readonly chunks: readonly BinaryChunk[];
}

/** `nib_ktnc`, as the bytes stand in the file. */
const magic = [0x6e, 0x69, 0x62, 0x5f, 0x6b, 0x74, 0x6e, 0x63];
const currentVersion = 1;
/** Bytes of an entry of the chunk table: offset, sequences, samples. */
const tableEntry = 16;

/**
 * Reads the header and the chunk table of a file in CNTK's binary format, all numbers little-endian. Every size is checked
 * against the file before anything is read by it.
 * @throws CntkError `data-format` in CNTK's words.
 * Source: Source/Readers/CNTKBinaryReader/BinaryChunkDeserializer.cpp.
 */
export function readBinaryFile(file: RandomAccessFile, name: string, elementType: ElementType): BinaryFile {
  const reader = new PieceReader(file, name);
  reader.checkMagic();
  const version = reader.uint32();
  if (version !== currentVersion) {
    throw new CntkError({
      code: "data-format",
      message: `The reader version is ${currentVersion}, but the data file was created for version ${version}.`,
    });
  }
  reader.position = file.size - 8;
  reader.position = reader.offset();
  reader.checkMagic();
  const chunkCount = reader.uint32();
  const inputCount = reader.uint32();
  const inputs: BinaryInput[] = [];
  for (let i = 0; i < inputCount; i++) inputs.push(readInput(reader, elementType));
  if (inputs.length === 0) throw reader.fail("the file holds no inputs");
  reader.need(chunkCount * tableEntry);
  const table = Array.from({ length: chunkCount }, () => {
    const offset = reader.offset();
    const sequences = reader.uint32();
    // The number of samples follows; it is the sum of what the chunk itself says.
    reader.uint32();
    return { offset, sequences };
  });
  const tableEnd = reader.position;
  const chunks = table.map(({ offset, sequences }, i) => {
    const end = table[i + 1]?.offset ?? tableEnd;
    if (offset + 4 * sequences > end || end > file.size) {
      throw reader.fail(`chunk ${i} lies outside of the file`);
    }
    return { offset, sequences, end };
  });
  return { inputs, chunks };
}

function readInput(reader: PieceReader, elementType: ElementType): BinaryInput {
  const encoding = reader.byte();
  if (encoding > 1) throw reader.fail(`Unknown encoding type ${encoding} requested.`);
  const name = new TextDecoder().decode(reader.bytes(reader.uint32()));
  const dataType = reader.byte();
  if (dataType > 1) throw reader.fail(`Unsupported input data type ${dataType}.`);
  const dimension = reader.uint32();
  const wanted = elementType === "float" ? 0 : 1;
  if (dataType !== wanted) {
    throw new CntkError({
      code: "data-format",
      message:
        `Unsupported combination of the input data type ${dataType} and precision ${wanted}. ` +
        "At the moment, both have to match.",
      hint: `'${name}' holds ${dataType === 0 ? "float" : "double"} numbers: precision = ${dataType === 0 ? "float" : "double"}`,
    });
  }
  if (encoding === 1 && dimension > 2 ** 31 - 1) {
    throw reader.fail("Sample dimension is too large for an IndexType value.");
  }
  return { name, storage: encoding === 0 ? "dense" : "sparse", dimension };
}

/** Reads numbers one after the other, never beyond the end of the file. */
class PieceReader {
  position = 0;

  constructor(
    private readonly file: RandomAccessFile,
    private readonly name: string,
  ) {}

  fail(text: string): CntkError {
    return binaryError(this.name, text);
  }

  need(length: number): void {
    if (this.position >= 0 && this.position + length <= this.file.size) return;
    throw this.fail("the file ends too early: it is damaged or cut off");
  }

  bytes(length: number): Uint8Array {
    this.need(length);
    const bytes = this.file.read(this.position, length);
    if (bytes.length < length) throw this.fail("the file became shorter while it was being read");
    this.position += length;
    return bytes;
  }

  byte(): number {
    return this.bytes(1)[0] ?? 0;
  }

  uint32(): number {
    return viewOf(this.bytes(4)).getUint32(0, true);
  }

  /** A position in the file. */
  offset(): number {
    const offset = viewOf(this.bytes(8)).getBigInt64(0, true);
    if (offset >= 0n && offset <= BigInt(this.file.size)) return Number(offset);
    throw this.fail(`the offset ${offset} lies outside of the file`);
  }

  checkMagic(): void {
    const found = this.position >= 0 ? this.file.read(this.position, magic.length) : new Uint8Array(0);
    this.position += magic.length;
    if (magic.every((byte, i) => found[i] === byte)) return;
    throw this.fail(`The input (${this.name}) is not a valid CNTK binary format file.`);
  }
}

/** A view of bytes that may begin anywhere in their buffer. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** An error of a binary file, with CNTK's beginning. */
export function binaryError(name: string, text: string): CntkError {
  return new CntkError({
    code: "data-format",
    message: `CNTKBinaryReader: While reading '${name}': ${text}`,
  });
}
