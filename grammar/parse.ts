import type { IRecognitionException, IToken } from "chevrotain";
import type { Diagnostic } from "../src/diagnostics/diagnostic.js";
import type { Span } from "../src/diagnostics/source.js";
import type { Program } from "./ast.js";
import { buildProgram } from "./build-ast.js";
import { spanOfToken, tokenize, type SourceLoader, type TextWithPlaces } from "./lexer.js";
import { brainScriptParser } from "./parser.js";

export interface ParseResult {
  /** The syntax tree; absent if there is any error. */
  readonly result: Program | undefined;
  /** All mistakes of the text, in the order they were written as far as the text is one. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads BrainScript. Never throws for what the text says: mistakes come as diagnostics, with CNTK's sentences.
 *
 * @param loader finds the texts of `include "path"`; without one every include is an error
 */
export function parseBrainScript(text: TextWithPlaces, loader?: SourceLoader): ParseResult {
  try {
    return parse(text, loader);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = "the expression is nested too deeply";
    return {
      result: undefined,
      diagnostics: [{ code: "nested-too-deeply", level: "error", message, span: text.spanOf(0, 0) }],
    };
  }
}

function parse(text: TextWithPlaces, loader: SourceLoader | undefined): ParseResult {
  const { tokens, diagnostics } = tokenize(text, loader);
  const end = text.spanOf(text.text.length, text.text.length);
  const parser = brainScriptParser();
  parser.input = tokens;
  const cst = parser.program();
  const built = buildProgram(cst, end);
  const last = tokens.at(-1);
  const memberBegins = new Map<Diagnostic, string>();
  const syntax = parser.errors.map((error) => {
    const diagnostic = toDiagnostic(error, last, end);
    const begin = beginOfMember(error);
    if (begin) memberBegins.set(diagnostic, lineOf({ span: spanOfToken(begin) }));
    return diagnostic;
  });
  parser.input = [];
  const all = withoutFollowUps(diagnostics, [...syntax, ...built.diagnostics], memberBegins);
  return { result: all.length === 0 ? built.program : undefined, diagnostics: all };
}

/** The name that the parser took for the first of a member, where it then misses what should follow. */
function beginOfMember({ context, ...error }: IRecognitionException): IToken | undefined {
  if (context.ruleStack.at(-1) !== "member" || !("previousToken" in error)) return undefined;
  return error.previousToken as IToken | undefined;
}

function toDiagnostic(error: IRecognitionException, last: IToken | undefined, end: Span): Diagnostic {
  const atEnd = Number.isNaN(error.token.startOffset) || !("payload" in error.token);
  // At the end of the text there is nothing to mark, so the mark goes behind what was written last.
  const span = !atEnd ? spanOfToken(error.token) : last ? behind(spanOfToken(last)) : end;
  const label = atEnd ? "the text ends here" : undefined;
  const hint = hintFor(error);
  const { message } = error;
  return {
    code: codeOf(error),
    level: "error",
    message,
    span,
    ...(label && { label }),
    ...(hint && { hint }),
  };
}

/** Advice for what people coming from other languages write. */
function hintFor({ message, token }: IRecognitionException): string | undefined {
  const memberExpected =
    message === "junk at end of source" || message === "']' expected" || message === "'}' expected";
  if (memberExpected && token.image === ",")
    return "members of a record are separated by new lines or by ';'";
  if (memberExpected && token.image === ";") return "at most one ';' may stand between two members";
  if (memberExpected && token.image === "=>")
    return "for a function of several parameters write f (x, y) = …";
  if (message === "'=' expected" && token.image === ".") return "the name of a member cannot contain '.'";
  if (message === "'=' expected" && /^[[{]$/.test(token.image))
    return "a definition has its =: f (x) = { … }";
  if (message === "'|]' expected" && token.image === ",") return "elements of an array are joined by ':'";
  if (message === "'then' expected" && token.image === "=") return "equal is ==";
  if (message === "'else' expected") return "every if has both: if c then a else b";
  return undefined;
}

function codeOf(error: IRecognitionException): string {
  if (error.message === "junk at end of source") return "junk-at-end";
  return error.message === "operand expected" ? "operand-expected" : "unexpected-token";
}

function behind(span: Span): Span {
  return { source: span.source, start: span.end, end: span.end };
}

/**
 * A broken token makes the parser stumble over what is left of its line, and a broken line over the same line again:
 * one message a line says it all. What is left of a line may look like the beginning of a member that goes on in the next line:
 * that one is not to blame. An unclosed string or comment swallows the rest of the text.
 */
function withoutFollowUps(
  lexical: readonly Diagnostic[],
  syntactic: readonly Diagnostic[],
  memberBegins: ReadonlyMap<Diagnostic, string>,
): Diagnostic[] {
  const kept: Diagnostic[] = [...lexical];
  const lines = new Set(lexical.map(lineOf));
  const swallowed = lexical.find(({ code }) => code === "unclosed-string" || code === "unclosed-comment");
  for (const diagnostic of inOrder(syntactic)) {
    const line = lineOf(diagnostic);
    const { span } = diagnostic;
    if (
      lines.has(line) ||
      (swallowed?.span && span?.source === swallowed.span.source && atEndOf(span, swallowed.span))
    ) {
      continue;
    }
    const isLeftOver = lines.has(memberBegins.get(diagnostic) ?? "");
    lines.add(line);
    if (!isLeftOver) kept.push(diagnostic);
  }
  return inOrder(kept);
}

function atEndOf(span: Span, unclosed: Span): boolean {
  return span.end >= unclosed.start || span.source.text.slice(span.end, unclosed.start).trim() === "";
}

function lineOf({ span }: Pick<Diagnostic, "span">): string {
  return span ? `${span.source.name}:${span.source.text.lastIndexOf("\n", span.start - 1)}` : "";
}

/** By place if all are in one text; mistakes in included texts stay where they were found. */
function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const source = diagnostics[0]?.span?.source;
  if (diagnostics.some(({ span }) => span?.source !== source)) return [...diagnostics];
  return [...diagnostics].sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0));
}
