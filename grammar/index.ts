/** BrainScript as a language: text → syntax tree. */
export type * from "./ast.js";
export { plainText, type SourceLoader, type TextWithPlaces } from "./lexer.js";
export { parseBrainScript, type ParseResult } from "./parse.js";
export { printAst } from "./print-ast.js";
export { treeAsText, treeFromText } from "./tree-text.js";
