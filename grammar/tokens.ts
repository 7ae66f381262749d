import type { TokenType } from "chevrotain";
import { chevrotain } from "../src/chevrotain.js";

const { createToken, Lexer } = chevrotain;

/** Every token of BrainScript. The lexer tries them in the order of `allTokens` at the end of this file. */

// --- what is skipped ---

export const WhiteSpace = createToken({
  name: "WhiteSpace",
  pattern: /[ \t\r\n]+/,
  group: Lexer.SKIPPED,
  line_breaks: true,
});
export const LineComment = createToken({
  name: "LineComment",
  pattern: /(?:#|\/\/)[^\r\n]*/,
  group: Lexer.SKIPPED,
});
// Behind the opening, CNTK consumes a star together with the character after it, so an even number of stars before the
// final slash hides the end of the comment: `/***/` and `/* x **/` stay open.
export const BlockComment = createToken({
  name: "BlockComment",
  pattern: /\/\*(?:[^*]|\*[^/])*\*\//,
  group: Lexer.SKIPPED,
  line_breaks: true,
});

// --- names and literals ---

export const Identifier = createToken({ name: "Identifier", pattern: /[A-Za-z_][A-Za-z_0-9]*/ });

/** C's number syntax without a sign; `1..2` is `1` `..` `2`. */
export const NumberLiteral = createToken({
  name: "NumberLiteral",
  pattern:
    /0[xX](?:[0-9a-fA-F]+(?:\.(?!\.)[0-9a-fA-F]*)?|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?|(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/,
});
/** Either quote; no escapes; may span lines. */
export const StringLiteral = createToken({
  name: "StringLiteral",
  pattern: /"[^"]*"|'[^']*'/,
  line_breaks: true,
});

/** Categories let the grammar say "any binary operator" in one place; build-ast sorts out precedence. */
export const BinaryOperatorToken = createToken({ name: "BinaryOperatorToken", pattern: Lexer.NA });
export const UnaryOperatorToken = createToken({ name: "UnaryOperatorToken", pattern: Lexer.NA });

function keyword(name: string, word: string, ...categories: TokenType[]): TokenType {
  return createToken({ name, pattern: new RegExp(word), label: word, longer_alt: Identifier, categories });
}

export const Include = keyword("Include", "include");
export const New = keyword("New", "new");
export const With = keyword("With", "with", BinaryOperatorToken);
export const True = keyword("True", "true");
export const False = keyword("False", "false");
export const If = keyword("If", "if");
export const Then = keyword("Then", "then");
export const Else = keyword("Else", "else");
export const ArrayKeyword = keyword("ArrayKeyword", "array");

// --- punctuation ---

function punctuation(name: string, text: string, ...categories: TokenType[]): TokenType {
  return createToken({ name, pattern: text, label: text, categories });
}

function binaryOperator(name: string, text: string): TokenType {
  return punctuation(name, text, BinaryOperatorToken);
}

export const ListOpen = punctuation("ListOpen", "[|");
export const ListClose = punctuation("ListClose", "|]");
export const Range = punctuation("Range", "..");
export const Arrow = punctuation("Arrow", "=>");
export const Power = binaryOperator("Power", "**");
export const ElementTimes = binaryOperator("ElementTimes", ".*");
export const Or = binaryOperator("Or", "||");
export const And = binaryOperator("And", "&&");
export const ShiftLeft = binaryOperator("ShiftLeft", "<<");
export const ShiftRight = binaryOperator("ShiftRight", ">>");
export const Equal = binaryOperator("Equal", "==");
export const GreaterEqual = binaryOperator("GreaterEqual", ">=");
export const NotEqual = binaryOperator("NotEqual", "!=");
export const LessEqual = binaryOperator("LessEqual", "<=");

export const Assign = punctuation("Assign", "=");
export const Semicolon = punctuation("Semicolon", ";");
export const Comma = punctuation("Comma", ",");
export const SquareOpen = punctuation("SquareOpen", "[");
export const SquareClose = punctuation("SquareClose", "]");
export const RoundOpen = punctuation("RoundOpen", "(");
export const RoundClose = punctuation("RoundClose", ")");
export const CurlyOpen = punctuation("CurlyOpen", "{");
export const CurlyClose = punctuation("CurlyClose", "}");
export const Plus = punctuation("Plus", "+", BinaryOperatorToken, UnaryOperatorToken);
export const Minus = punctuation("Minus", "-", BinaryOperatorToken, UnaryOperatorToken);
export const Not = punctuation("Not", "!", UnaryOperatorToken);
export const Times = binaryOperator("Times", "*");
export const Divide = binaryOperator("Divide", "/");
export const Modulo = binaryOperator("Modulo", "%");
export const Less = binaryOperator("Less", "<");
export const Greater = binaryOperator("Greater", ">");
export const Colon = binaryOperator("Colon", ":");
export const Dot = punctuation("Dot", ".");

// --- what no other token matches: the lexer turns these into diagnostics ---

export const UnclosedComment = createToken({
  name: "UnclosedComment",
  pattern: /\/\*[\s\S]*/,
  line_breaks: true,
});
export const UnclosedString = createToken({
  name: "UnclosedString",
  pattern: /["'][\s\S]*/,
  line_breaks: true,
});
/** In the order the lexer tries them: two characters before one, a broken comment or string only after a whole one. */
export const allTokens: readonly TokenType[] = [
  BinaryOperatorToken,
  UnaryOperatorToken,
  WhiteSpace,
  LineComment,
  BlockComment,
  UnclosedComment,
  Include,
  New,
  With,
  True,
  False,
  If,
  Then,
  Else,
  ArrayKeyword,
  Identifier,
  NumberLiteral,
  StringLiteral,
  UnclosedString,
  ListOpen,
  ListClose,
  Range,
  Arrow,
  Power,
  ElementTimes,
  Or,
  And,
  ShiftLeft,
  ShiftRight,
  Equal,
  GreaterEqual,
  NotEqual,
  LessEqual,
  Assign,
  Semicolon,
  Comma,
  SquareOpen,
  SquareClose,
  RoundOpen,
  RoundClose,
  CurlyOpen,
  CurlyClose,
  Plus,
  Minus,
  Not,
  Times,
  Divide,
  Modulo,
  Less,
  Greater,
  Colon,
  Dot,
];
