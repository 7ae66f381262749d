import type { CallSite, Diagnostic } from "./diagnostic.js";
import { shortened, visible, visibleLine } from "./shown-text.js";
import { placeOf, type Span } from "./source.js";

/** Longer source lines are cut to a window around the mark. */
const maximumLineLength = 120;
/** Messages, labels and hints quote from files; longer ones lose their middle. */
const maximumTextLength = 2000;
/** Deep recursion makes long chains; the innermost steps and the outermost one tell the story. */
const maximumCalls = 8;
/** Whoever has mended so many mistakes looks for the rest anew. */
const maximumDiagnostics = 20;
/** Sources that came with cntkts: their inner steps are nobody's mistake and would bury the user's own. */
const libraryPrefix = "<library>/";

/** The one line of a source that holds the offset, without its line end. */
function lineAround(text: string, offset: number): { line: string; start: number } {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  let end = text.indexOf("\n", offset);
  if (end < 0) end = text.length;
  if (end > start && text[end - 1] === "\r") end--;
  return { line: text.slice(start, end), start };
}

/** `file:line:column` of a span, as editors and terminals make it clickable. */
export function renderPlace(span: Span): string {
  const { line, column } = placeOf(span.source, span.start);
  return `${visibleLine(shortened(span.source.name, maximumTextLength))}:${line}:${column}`;
}

function shownText(text: string): string {
  return visible(shortened(text, maximumTextLength));
}

/** The source line with the span marked underneath, e.g. ` 12 | z = Relu (x)` over `    |     ^~~~ label`. */
function excerpt(span: Span, label: string | undefined): string[] {
  const offset = Math.min(span.start, span.source.text.length);
  const { line, start } = lineAround(span.source.text, offset);
  let shown = line;
  let from = Math.min(offset - start, line.length);
  let length = Math.max(1, Math.min(span.end, start + line.length) - (start + from));
  if (line.length > maximumLineLength) {
    const cut = Math.max(0, Math.min(from - 40, line.length - maximumLineLength));
    const before = cut > 0 ? "…" : "";
    const after = cut + maximumLineLength < line.length ? "…" : "";
    shown = before + line.slice(cut, cut + maximumLineLength) + after;
    length = Math.max(1, Math.min(length, cut + maximumLineLength - from));
    from = from - cut + before.length;
  }
  const number = String(placeOf(span.source, offset).line);
  const before = visibleLine(shown.slice(0, from));
  const marked = visibleLine(shown.slice(from, from + length));
  const after = visibleLine(shown.slice(from + length));
  // Tabs of the source line are kept in the padding, so that the mark stands right at any tab width.
  const padding = before.replace(/[^\t]/g, " ");
  const mark =
    "^" +
    "~".repeat(Math.max(length, marked.length) - 1) +
    (label === undefined ? "" : ` ${shownText(label)}`);
  return [` ${number} | ${before}${marked}${after}`, ` ${" ".repeat(number.length)} | ${padding}${mark}`];
}

/** The chain of calls, innermost first; several steps in a row through the library are one line. */
function renderCalls(calls: readonly CallSite[]): string[] {
  const steps: (CallSite | { readonly librarySteps: number })[] = [];
  for (let at = 0; at < calls.length;) {
    let end = at;
    while (end < calls.length && inLibrary(calls[end]!.span)) end++;
    if (end - at > 1) steps.push({ librarySteps: end - at });
    else steps.push(calls[at]!);
    at = Math.max(end, at + 1);
  }
  const hidden = steps.length > maximumCalls ? steps.length - maximumCalls : 0;
  return steps.flatMap((step, index) => {
    if (hidden > 0 && index >= maximumCalls - 1 && index < steps.length - 1) {
      return index === maximumCalls - 1 ? [`  … ${hidden} more …`] : [];
    }
    if ("librarySteps" in step) return [`  … ${step.librarySteps} steps through the library …`];
    return [
      `  ${shownText(step.label ?? "demanded")} at ${renderPlace(step.span)}`,
      ...excerpt(step.span, undefined),
    ];
  });
}

/**
 * A mistake that shows inside the library is marked at the user's call that led into it, or else where the user's text
 * asked for the value; the library's place comes second.
 */
function fromUsersSide({ span, calls = [], callers = [] }: Diagnostic): {
  readonly span: Span | undefined;
  readonly calls: readonly CallSite[];
  readonly raisedIn?: Span;
} {
  if (!span || !inLibrary(span)) return { span, calls };
  const caller = callers.find((place) => !inLibrary(place));
  const asking = calls.findIndex((call) => !inLibrary(call.span));
  const place = caller ?? calls[asking]?.span;
  if (!place) return { span, calls };
  const isAsking = calls[asking] && renderPlace(calls[asking].span) === renderPlace(place);
  return { span: place, calls: isAsking ? calls.slice(asking + 1) : calls, raisedIn: span };
}

function inLibrary(span: Span): boolean {
  return span.source.name.startsWith(libraryPrefix);
}

/**
 * The text a user reads: level and message, `file:line:column`, the source line with a `^~~~` mark and label, the
 * chain of calls, the hint; then the same for further mistakes, the first twenty in all. Ends without a newline.
 */
export function renderDiagnostic(diagnostic: Diagnostic): string {
  const { others = [] } = diagnostic;
  const shown = [diagnostic, ...others.slice(0, maximumDiagnostics - 1)].map(renderOne);
  const hidden = others.length + 1 - shown.length;
  if (hidden > 0) shown.push(`… and ${hidden} more`);
  return shown.join("\n");
}

function renderOne(diagnostic: Diagnostic): string {
  const { span, calls, raisedIn } = fromUsersSide(diagnostic);
  const lines = [`${diagnostic.level}: ${shownText(diagnostic.message)}`];
  if (span) lines.push(`  at ${renderPlace(span)}`, ...excerpt(span, diagnostic.label));
  if (raisedIn) lines.push(`  raised in the library, at ${renderPlace(raisedIn)}`);
  lines.push(...renderCalls(calls));
  if (diagnostic.hint !== undefined) lines.push(`hint: ${shownText(diagnostic.hint)}`);
  return lines.join("\n");
}
