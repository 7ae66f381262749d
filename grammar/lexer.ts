import type { IToken, Lexer as ChevrotainLexer } from "chevrotain";
import { retryLines } from "../src/diagnostics/attempts.js";
import type { Diagnostic } from "../src/diagnostics/diagnostic.js";
import type { Source, Span } from "../src/diagnostics/source.js";
import { chevrotain } from "../src/chevrotain.js";
import * as tokens from "./tokens.js";

/** Text to be read as BrainScript that knows where each of its characters was written. */
export interface TextWithPlaces {
  readonly text: string;
  /** Place of the characters `[start, end)` of `text`. */
  spanOf(start: number, end: number): Span;
}

/** A source as it is, without any detour through the configuration reader. */
export function plainText(source: Source): TextWithPlaces {
  return { text: source.text, spanOf: (start, end) => ({ source, start, end }) };
}

/** Finds the texts that `include "path"` names; files are found outside of the grammar. */
export interface SourceLoader {
  /**
   * @param path as written between the quotes
   * @param includedFrom the texts that are being read, outermost first
   * @returns undefined if there is no such file
   */
  load(path: string, includedFrom: readonly Source[]): TextWithPlaces | undefined;
}

/** A token that remembers its text; `include` mixes tokens of several texts. */
export interface PlacedToken extends IToken {
  payload: TextWithPlaces;
}

export interface LexerResult {
  readonly tokens: PlacedToken[];
  readonly diagnostics: Diagnostic[];
}

/** Place of a token of the lexer (not of one that chevrotain made up while recovering). */
export function spanOfToken(token: IToken): Span {
  const text = (token as PlacedToken).payload;
  return text.spanOf(token.startOffset, token.startOffset + token.image.length);
}

/** Splits a text into tokens and puts the tokens of included texts in the place of `include "path"`. */
export function tokenize(text: TextWithPlaces, loader?: SourceLoader): LexerResult {
  const reading = new Reading(loader);
  reading.read(text, [text.spanOf(0, 0).source]);
  return reading;
}

let lexer: ChevrotainLexer | undefined;

/** The lexer, built when first needed. Lines and columns are not tracked: the sources know them. */
function brainScriptLexer(): ChevrotainLexer {
  lexer ??= new chevrotain.Lexer([...tokens.allTokens], {
    positionTracking: "onlyOffset",
    ensureOptimizations: true,
    skipValidations: true,
  });
  return lexer;
}

class Reading implements LexerResult {
  readonly tokens: PlacedToken[] = [];
  readonly diagnostics: Diagnostic[] = [];

  constructor(private readonly loader: SourceLoader | undefined) {}

  read(text: TextWithPlaces, includedFrom: readonly Source[]): void {
    const { tokens: found, errors } = brainScriptLexer().tokenize(text.text);
    for (const { offset, length } of errors) this.failOnCharacter(text, offset, length);
    for (let at = 0; at < found.length; at++) {
      const token = found[at] as PlacedToken;
      token.payload = text;
      switch (token.tokenType) {
        case tokens.Include: {
          const path = found[at + 1] as PlacedToken | undefined;
          if (path) path.payload = text;
          if (path?.tokenType === tokens.StringLiteral) {
            this.include(path, includedFrom);
            at++;
          } else {
            const code = "include-without-path";
            this.fail(code, "'include' must be followed by a quoted string", path ?? token);
            // A path without quotes is no member that lacks something.
            if (path && !text.text.slice(token.startOffset, path.startOffset).includes("\n")) at++;
          }
          break;
        }
        case tokens.UnclosedString:
          this.failAtStart("unclosed-string", "string without closing quotation mark", token, 1);
          break;
        case tokens.UnclosedComment:
          this.failAtStart("unclosed-comment", "comment without closing */", token, 2);
          break;
        default:
          this.tokens.push(token);
      }
    }
  }

  private include(path: PlacedToken, includedFrom: readonly Source[]): void {
    const name = path.image.slice(1, -1);
    const text = this.loader?.load(name, includedFrom);
    if (!text) {
      const message = `error opening file '${name}': No such file or directory`;
      this.fail("include-missing", message, path, retryLines(message));
      return;
    }
    const source = text.spanOf(0, 0).source;
    if (includedFrom.some((outer) => outer.name === source.name)) {
      this.fail("include-cycle", `file '${source.name}' includes itself`, path);
      return;
    }
    this.read(text, [...includedFrom, source]);
  }

  /** Characters that begin no token; chevrotain skips as many as stand together. */
  private failOnCharacter(text: TextWithPlaces, offset: number, length: number): void {
    const character = String.fromCodePoint(text.text.codePointAt(offset) ?? 0);
    const message = `unexpected character: ${character}`;
    const span = text.spanOf(offset, offset + length);
    const isQuote = /["`\u00b4\u2018-\u201f\u00ab\u00bb]/.test(character);
    const hint = isQuote ? "quotes are straight: \"…\" or '…'" : undefined;
    this.diagnostics.push({
      code: "unexpected-character",
      level: "error",
      message,
      span,
      ...(hint && { hint }),
    });
  }

  private fail(code: string, message: string, token: PlacedToken, logged?: string): void {
    const span = spanOfToken(token);
    this.diagnostics.push({ code, level: "error", message, span, ...(logged !== undefined && { logged }) });
  }

  /** For tokens that run to the end of the text: only their opening is marked. */
  private failAtStart(code: string, message: string, token: PlacedToken, length: number): void {
    const span = token.payload.spanOf(token.startOffset, token.startOffset + length);
    this.diagnostics.push({ code, level: "error", message, span });
  }
}
