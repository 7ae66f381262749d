import type { TextPlace } from "./data-hints.js";
import type { DataProblems } from "./problems.js";

const newline = 10;
const zero = 48;
const pipe = 124;
/** Bytes of a sequence that are looked through for names, for a message. */
const longestLook = 1 << 16;

/** A place in the text of one sequence, and what every reader of such text does: skip, quote, complain. */
export class TextCursor {
  protected bytes: Uint8Array = new Uint8Array(0);
  /** Position of the next byte, end of the sequence, both in `bytes`. */
  protected position = 0;
  protected end = 0;
  /** File offset of the first byte of `bytes`. */
  protected base = 0;

  constructor(protected readonly problems: DataProblems) {}

  /** Gives the cursor bytes of the file that start at the file offset `base`. */
  setBytes(bytes: Uint8Array, base: number): void {
    this.bytes = bytes;
    this.base = base;
  }

  /** An unsigned 64-bit number; undefined if there is none, if it overflows, or if the sequence ends behind it. */
  protected readIndex(): number | bigint | undefined {
    const { bytes, end } = this;
    const start = this.position;
    let value = 0;
    for (; this.position < end; this.position++) {
      const digit = (bytes[this.position] as number) - zero;
      if (digit < 0 || digit > 9) {
        if (this.position === start) {
          this.warn(`Expected a uint64 value, but none found ${this.where()}.`);
          return undefined;
        }
        return value <= Number.MAX_SAFE_INTEGER ? value : BigInt(this.text(start, this.position));
      }
      value = value * 10 + digit;
      if (value >= 2 ** 64) {
        this.warn(`Overflow while reading a uint64 value ${this.where()}.`);
        return undefined;
      }
    }
    this.warn(this.exhausted("a uint64 value"), -1);
    return undefined;
  }

  protected skipToNextInput(): void {
    const { bytes, end } = this;
    while (this.position < end) {
      const byte = bytes[this.position] as number;
      if (byte === pipe || byte === newline) return;
      this.position++;
    }
  }

  protected where(): string {
    return this.problems.at(this.base + this.position);
  }

  protected warn(text: string, shift = 0, hint?: string): void {
    this.problems.warn(text, this.base + this.position + shift, hint);
  }

  /** The names that the sequence at hand has, for a message. */
  protected namesIn(begin: number): string[] {
    const text = this.text(begin - this.base, Math.min(this.end, begin - this.base + longestLook));
    const names = new Set(Array.from(text.matchAll(/\|([^\s|#]+)/g), ([, name]) => name as string));
    return [...names].slice(0, 8);
  }

  /** The line of the sequence at hand that a byte of the file stands in, for a message. */
  protected lineAt(offset: number): TextPlace {
    const at = Math.min(offset - this.base, this.end);
    let start = at;
    while (start > 0 && at - start < longestLook && this.bytes[start - 1] !== newline) start--;
    const found = this.bytes.subarray(0, this.end).indexOf(newline, at);
    const end = Math.min(found < 0 ? this.end : found, at + longestLook);
    return { line: this.text(start, end), column: at - start };
  }

  protected exhausted(what: string): string {
    return `Exhausted all input expected for the current sequence while reading ${what} ${this.where()}.`;
  }

  protected text(start: number, end: number): string {
    let text = "";
    for (let i = start; i < end; i++) text += String.fromCharCode(this.bytes[i] ?? 0);
    return text;
  }
}
