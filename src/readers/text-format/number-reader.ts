import type { DataProblems } from "./problems.js";
import { plus, minus, dot, upperE, lowerE } from "./bytes.js";

/** What has been read of a number so far. */
const enum State {
  Init,
  Sign,
  Integral,
  Period,
  Fraction,
  LetterE,
  ExponentSign,
  Exponent,
}

/**
 * Reads CNTK's decimal numbers, `[+-] digits [. digits] [e [+-] digits]`, with CNTK's arithmetic in double (which does not
 * always round to the nearest number): digits add up as n·10 + d, the fraction is divided by a power of ten, the exponent
 * multiplies with one.
 * Source: Source/Readers/CNTKTextFormatReader/TextParser.cpp, TryReadRealNumber.
 */
export class NumberReader {
  /** The number read last, in double. */
  value = 0;
  /** Was there a number? If not, a warning says what stood in its place. */
  valid = false;

  constructor(private readonly problems: DataProblems) {}

  /** Reads from `position` on; returns the position of the first byte that does not belong to the number. */
  read(bytes: Uint8Array, position: number, end: number, base: number): number {
    let state: State = State.Init;
    let coefficient = 0;
    let number = 0;
    let divider = 0;
    let negative = false;
    for (; position < end; position++) {
      const byte = bytes[position] as number;
      const digit = byte - 48;
      const isDigit = digit >= 0 && digit <= 9;
      switch (state) {
        case State.Init:
          if (isDigit) {
            state = State.Integral;
            number = digit;
          } else if (byte === plus || byte === minus) {
            state = State.Sign;
            negative = byte === minus;
          } else return this.refuse("Unexpected character (", byte, position, base);
          break;
        case State.Sign:
          if (!isDigit) {
            return this.refuse("A sign symbol is followed by an invalid character(", byte, position, base);
          }
          state = State.Integral;
          number = digit;
          break;
        case State.Integral:
          if (isDigit) number = number * 10 + digit;
          else if (byte === dot) state = State.Period;
          else if (byte === lowerE || byte === upperE) {
            state = State.LetterE;
            coefficient = negative ? -number : number;
            number = 0;
          } else return this.accept(negative ? -number : number, position);
          break;
        case State.Period:
          if (!isDigit) return this.accept(negative ? -number : number, position);
          state = State.Fraction;
          coefficient = number;
          number = digit;
          divider = 10;
          break;
        case State.Fraction:
          if (isDigit) {
            number = number * 10 + digit;
            divider *= 10;
          } else {
            coefficient += number / divider;
            if (negative) coefficient = -coefficient;
            if (byte !== lowerE && byte !== upperE) return this.accept(coefficient, position);
            state = State.LetterE;
          }
          break;
        case State.LetterE:
          if (isDigit) {
            state = State.Exponent;
            negative = false;
            number = digit;
          } else if (byte === plus || byte === minus) {
            state = State.ExponentSign;
            negative = byte === minus;
          } else {
            return this.refuse(
              "An exponent symbol is followed by an invalid character(",
              byte,
              position,
              base,
            );
          }
          break;
        case State.ExponentSign:
          if (!isDigit) {
            const text = "An exponent sign symbol followed by an unexpected character(";
            return this.refuse(text, byte, position, base);
          }
          state = State.Exponent;
          number = digit;
          break;
        case State.Exponent:
          if (!isDigit) return this.accept(coefficient * powerOfTen(negative ? -number : number), position);
          number = number * 10 + digit;
          break;
      }
    }
    return this.finish(state, coefficient, number, divider, negative, position, base);
  }

  /** The sequence ended inside the number, which is fine where a number may end. */
  private finish(
    state: State,
    coefficient: number,
    number: number,
    divider: number,
    negative: boolean,
    position: number,
    base: number,
  ): number {
    const where = this.problems.at(base + position);
    const exhausted =
      `Exhausted all input expected for the current sequence while reading an input row ${where}.` +
      " Possibly, a trailing newline is missing.";
    this.problems.warn(exhausted, base + position - 1);
    if (state === State.Integral || state === State.Period) {
      return this.accept(negative ? -number : number, position);
    }
    if (state === State.Fraction) {
      const value = coefficient + number / divider;
      return this.accept(negative ? -value : value, position);
    }
    if (state === State.Exponent) {
      return this.accept(coefficient * powerOfTen(negative ? -number : number), position);
    }
    this.problems.warn(
      `Reached an invalid state while reading a floating point value ${where}.`,
      base + position - 1,
    );
    this.valid = false;
    return position;
  }

  private accept(value: number, position: number): number {
    this.value = value;
    this.valid = true;
    return position;
  }

  private refuse(before: string, byte: number, position: number, base: number): number {
    const character = String.fromCharCode(byte);
    const where = this.problems.at(base + position);
    this.problems.warn(`${before}'${character}') in a floating point value ${where}.`, base + position);
    this.valid = false;
    return position;
  }
}

const powers: number[] = [];

/** C's `pow(10, exponent)`, which gives the nearest number where JavaScript's `**` may miss it by one unit. */
function powerOfTen(exponent: number): number {
  if (exponent > 308) return Infinity;
  if (exponent < -323) return 0;
  return (powers[exponent + 323] ??= Number(`1e${exponent}`));
}
