export { CntkError } from "./diagnostic.js";
export type { CallSite, Diagnostic, Level } from "./diagnostic.js";
export { renderDiagnostic, renderPlace } from "./render.js";
export { shortened, shortenedLines, visible, visibleLine } from "./shown-text.js";
export { placeOf } from "./source.js";
export type { Place, Source, Span } from "./source.js";
export { didYouMean, suggest } from "./suggest.js";
