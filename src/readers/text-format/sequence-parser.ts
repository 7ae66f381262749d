import type { CntkError } from "../../diagnostics/diagnostic.js";
import type { SequenceKey } from "../deserializer.js";
import { AliasTable } from "./alias-table.js";
import type { ChunkStream } from "./chunk.js";
import { hintForEmptyRow, hintForLength, hintForMissing, hintForSample, hintForStray } from "./data-hints.js";
import type { TextInput } from "./options.js";
import type { DataProblems } from "./problems.js";
import { NumberReader } from "./number-reader.js";
import { TextCursor } from "./text-cursor.js";

// Written out, not imported: constants of other modules cost the loops below a quarter of their speed.
const tab = 9;
const newline = 10;
const blank = 32;
const hash = 35;
const dot = 46;
const zero = 48;
const nine = 57;
const colon = 58;
const upperE = 69;
const lowerE = 101;
const pipe = 124;
/** CNTK compares signed characters: bytes from here on count as control characters. */
const firstNegative = 128;

/** What the parser must know of a sequence. */
export interface SequenceDescription {
  readonly key: SequenceKey;
  /** Number of lines. */
  readonly samples: number;
}

/**
 * Second pass over a text file: parses the bytes of one sequence after the other into the streams of a chunk.
 * Source: Source/Readers/CNTKTextFormatReader/TextParser.cpp.
 */
export class SequenceParser extends TextCursor {
  private readonly sample: Float64Array;
  private sparseValues = new Float64Array(64);
  private sparseRows = new Int32Array(64);
  private readonly numbers: NumberReader;
  private readonly aliases: AliasTable;

  constructor(
    private readonly inputs: readonly TextInput[],
    problems: DataProblems,
    /** A stream defines the lengths: more or fewer samples than lines are fine. */
    private readonly hasMainStream: boolean,
  ) {
    super(problems);
    this.aliases = new AliasTable(inputs);
    this.sample = new Float64Array(Math.max(1, ...inputs.map((input) => denseDimension(input))));
    this.numbers = new NumberReader(problems);
  }

  /** Parses the bytes `[begin, end)` (file offsets) as sequence number `index` of the chunk. */
  parse(
    begin: number,
    end: number,
    index: number,
    sequence: SequenceDescription,
    streams: readonly ChunkStream[],
  ): void {
    this.position = begin - this.base;
    this.end = end - this.base;
    for (const stream of streams) stream.startSequence();
    let row = 1;
    let rowsRead = 0;
    while (this.position < this.end) {
      if (this.readRow(streams)) rowsRead++;
      else {
        this.warn(
          `Could not read a row (# ${row}) while loading sequence (id = ${sequence.key}) ${this.where()}.`,
        );
        this.problems.count((offset) => hintForEmptyRow(this.inputs, this.lineAt(offset).line));
      }
      row++;
    }
    if (!this.hasMainStream && rowsRead < sequence.samples) {
      this.problems.note(
        `Exhausted all input expected for the current sequence (id = ${sequence.key}) ${this.where()},` +
          ` but only read ${rowsRead} out of ${sequence.samples} expected rows.`,
      );
    }
    for (const stream of streams) stream.sequenceStarts[index + 1] = stream.samples;
    this.checkLengths(begin, index, sequence, streams);
    this.problems.inform(
      () =>
        `Finished loading sequence (id = ${sequence.key}) ${this.where()},` +
        ` successfully read ${rowsRead} out of expected ${sequence.samples} rows.`,
    );
  }

  private checkLengths(
    begin: number,
    index: number,
    sequence: SequenceDescription,
    streams: readonly ChunkStream[],
  ): void {
    const id = () => `sequence (id = ${sequence.key}) ${this.where()}`;
    let longest = 0;
    let tooMany = false;
    let empty: CntkError | undefined;
    for (const stream of streams) {
      const length = stream.length(index);
      if (length > longest) longest = length;
      if (length === 0) {
        const text = `Input ('${stream.input.name}') is empty in ${id()}.`;
        this.problems.tell(text);
        empty ??= this.problems.fatal(
          text,
          begin,
          `${hintForMissing(stream.input, this.namesIn(begin))}. Malformed input file. Bailing out.`,
        );
      }
      if (!this.hasMainStream && length > sequence.samples) {
        tooMany = true;
        this.problems.warn(
          `Input ('${stream.input.name}') contains more samples than expected (${length} vs. ${sequence.samples}) for ${id()}.`,
          this.base + this.position - 1,
        );
      }
    }
    if (empty) throw empty;
    if (tooMany) this.problems.count();
    else if (!this.hasMainStream && longest < sequence.samples) {
      this.problems.warn(
        `Maximum per-input number of samples for ${id()} is less than expected (${longest} vs. ${sequence.samples}).`,
        this.base + this.position - 1,
      );
      this.problems.count();
    }
  }

  /** Reads one line; false if it held no sample. */
  private readRow(streams: readonly ChunkStream[]): boolean {
    const { bytes, end } = this;
    // Digits at the start of a line are the sequence's number, which the first pass dealt with.
    while (this.position < end && isDigit(bytes[this.position] as number)) this.position++;
    let samples = 0;
    while (this.position < end) {
      const byte = bytes[this.position] as number;
      if (byte === pipe) {
        if (this.readSample(streams)) samples++;
        else this.skipToNextInput();
      } else if (byte === newline) {
        this.position++;
        if (samples === 0) this.warn(`Empty input row ${this.where()}.`, -1);
        else if (samples > this.inputs.length) {
          this.problems.note(
            `Input row ${this.where()} contains more samples than expected (${samples} vs. ${this.inputs.length}).`,
          );
        }
        return samples > 0;
      } else if (byte <= blank || byte >= firstNegative) {
        this.position++;
      } else {
        const character = String.fromCharCode(byte);
        this.warn(
          `Unexpected character('${character}') in place of a name prefix ('|') in an input name ${this.where()}.`,
        );
        this.problems.count((offset) => hintForStray(this.inputs, this.lineAt(offset).line));
        this.skipToNextInput();
      }
    }
    this.problems.note(`${this.exhausted("an input row")} Possibly, a trailing newline is missing.`);
    return true;
  }

  /** Reads `|name values`; false if the sample was passed over (a comment, an unknown name, an error). */
  private readSample(streams: readonly ChunkStream[]): boolean {
    this.position++;
    if (this.position < this.end && this.bytes[this.position] === hash) {
      this.position++;
      return false;
    }
    const stream = this.readName(streams);
    if (stream === undefined) return false;
    const read = stream.input.storage === "dense" ? this.readDense(stream) : this.readSparse(stream);
    if (!read) this.problems.count((offset) => hintForSample(stream.input, this.lineAt(offset)));
    return read;
  }

  /** The stream that the name at the position belongs to; undefined for unknown names (silently) and errors (counted). */
  private readName(streams: readonly ChunkStream[]): ChunkStream | undefined {
    const { bytes, end } = this;
    const start = this.position;
    for (; this.position < end; this.position++) {
      const byte = bytes[this.position] as number;
      if (byte <= blank || byte === pipe || byte >= firstNegative) {
        if (this.position > start) return this.streamNamed(start, streams);
        const character = String.fromCharCode(byte);
        this.warn(
          `Input name prefix ('|') is followed by an invalid character ('${character}') ${this.where()}.`,
          0,
          byte === blank || byte === tab ? "a name stands right behind its |, without a blank" : undefined,
        );
        break;
      }
      const { longest } = this.aliases;
      if (this.position - start >= longest) {
        this.problems.inform(
          () =>
            `Skipping unknown input ${this.where()}. Input name (with the ${longest}-character prefix ` +
            `'${this.text(start, start + longest)}') exceeds the maximum expected length (${longest}).`,
        );
        return undefined;
      }
    }
    if (this.position === end) this.warn(this.exhausted("an input name"), -1);
    this.problems.count();
    return undefined;
  }

  private streamNamed(start: number, streams: readonly ChunkStream[]): ChunkStream | undefined {
    const { position } = this;
    const found = this.aliases.find(this.bytes, start, position);
    if (found >= 0) return streams[found];
    this.problems.inform(() => {
      const name = this.text(start, position);
      return (
        `Skipping unknown input ('${name}') ${this.where()}. ` +
        `Input name '${name}' was not specified in the reader config section.`
      );
    });
    return undefined;
  }

  /** Reads the values of a dense sample; false if there was an error. */
  private readDense(stream: ChunkStream): boolean {
    const { bytes, end, sample, numbers } = this;
    const { dimension } = stream.input;
    let { position } = this;
    let count = 0;
    let small = true;
    let ended = false;
    while (position < end) {
      let byte = bytes[position] as number;
      if (byte === blank || byte === tab) {
        position++;
        continue;
      }
      if (byte < blank || byte === pipe || byte >= firstNegative) {
        ended = true;
        break;
      }
      let value = byte - zero;
      if (value >= 0 && value <= 9) {
        // The short way for plain digits, with the arithmetic of the general one.
        let next = position + 1;
        while (next < end && (byte = bytes[next] as number) >= zero && byte <= nine) {
          value = value * 10 + (byte - zero);
          next++;
        }
        if (next < end && byte !== dot && byte !== lowerE && byte !== upperE) {
          if (count < dimension) sample[count] = value;
          if (value > 255) small = false;
          count++;
          position = next;
          continue;
        }
      }
      position = numbers.read(bytes, position, end, this.base);
      this.position = position;
      if (!numbers.valid) return false;
      value = numbers.value;
      if (count < dimension) sample[count] = value;
      if (!isSmall(value)) small = false;
      count++;
    }
    this.position = position;
    if (ended && count > dimension) {
      this.warn(
        `Dense sample (size = ${count}) ${this.where()} exceeds the expected size (${dimension}).`,
        0,
        hintForLength(stream.input, count),
      );
      return false;
    }
    if (!ended) {
      this.warn(this.exhausted("a dense sample"), -1);
      if (count === 0) return false;
      this.problems.forget();
    } else if (count < dimension) {
      this.problems.note(
        `A dense sample ${this.where()} has a sparse suffix (expected size = ${dimension}, actual size = ${count}).`,
      );
    }
    // CNTK pads only what a newline or another sample ends; the memory behind an unfinished last sample counts as zero here.
    if (count < dimension) sample.fill(0, count, dimension);
    stream.addDense(sample, small);
    return true;
  }

  /** Reads the `index:value` pairs of a sparse sample; false if there was an error. */
  private readSparse(stream: ChunkStream): boolean {
    const { bytes, end, numbers } = this;
    const { dimension } = stream.input;
    let count = 0;
    let small = true;
    while (this.position < end) {
      let byte = bytes[this.position] as number;
      if (byte === blank || byte === tab) {
        this.position++;
        continue;
      }
      if (byte < blank || byte === pipe || byte >= firstNegative) {
        stream.addSparse(this.sparseValues, this.sparseRows, count, small);
        return true;
      }
      const row = this.readIndex();
      if (row === undefined) return false;
      if (row >= dimension) {
        this.warn(
          `Sparse index value (${row}) ${this.where()} exceeds the maximum expected value (${dimension - 1}).`,
        );
        return false;
      }
      byte = bytes[this.position] as number;
      if (byte !== colon) {
        const character = String.fromCharCode(byte);
        this.warn(
          `Unexpected character('${character}') in place of the index delimiter (':')` +
            ` after a sparse value index (${row}) ${this.where()}.`,
          0,
          `plain numbers are read by format = "dense"; '${stream.input.name}' is declared sparse, whose values are index:value`,
        );
        return false;
      }
      this.position = numbers.read(bytes, this.position + 1, end, this.base);
      if (!numbers.valid) return false;
      if (count === this.sparseValues.length) this.growSparse();
      this.sparseValues[count] = numbers.value;
      this.sparseRows[count] = Number(row);
      if (!isSmall(numbers.value)) small = false;
      count++;
    }
    this.warn(this.exhausted("a sparse sample"), -1);
    // As CNTK counts: values of earlier samples of the sequence stand for this one's.
    if (count === 0 && !stream.hasValuesInSequence()) return false;
    this.problems.forget();
    stream.addSparse(this.sparseValues, this.sparseRows, count, small);
    return true;
  }

  private growSparse(): void {
    const values = new Float64Array(2 * this.sparseValues.length);
    const rows = new Int32Array(values.length);
    values.set(this.sparseValues);
    rows.set(this.sparseRows);
    this.sparseValues = values;
    this.sparseRows = rows;
  }
}

function denseDimension(input: TextInput): number {
  return input.storage === "dense" ? input.dimension : 0;
}

/** Does the number survive being kept as a byte? A negative zero does not. */
function isSmall(value: number): boolean {
  return value >= 0 && value <= 255 && Number.isInteger(value) && !Object.is(value, -0);
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine;
}
