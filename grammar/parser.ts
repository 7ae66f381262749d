import type { CstNode, IParserErrorMessageProvider, IToken, TokenType } from "chevrotain";
import { chevrotain } from "../src/chevrotain.js";
import * as tokens from "./tokens.js";

const { CstParser, EOF } = chevrotain;

/** CNTK's sentences for what the parser may complain about. */
const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => expectation(expected),
  buildNotAllInputParsedMessage: () => "junk at end of source",
  buildNoViableAltMessage: ({ customUserDescription }) => `${customUserDescription ?? "operand"} expected`,
  buildEarlyExitMessage: () => "operand expected",
};

function expectation(expected: TokenType): string {
  if (expected === EOF) return "junk at end of source";
  if (expected === tokens.Identifier) return "identifier expected";
  return `'${expected.LABEL ?? expected.name}' expected`;
}

/**
 * The grammar of BrainScript. Operands and operators stay a flat list here; build-ast knows their precedence, and
 * everything else that one token of lookahead cannot tell (a parameter that is no name, for instance).
 */
export class BrainScriptParser extends CstParser {
  constructor(options: { readonly skipValidations: boolean }) {
    super([...tokens.allTokens], {
      recoveryEnabled: true,
      maxLookahead: 1,
      nodeLocationTracking: "none",
      errorMessageProvider: messages,
      skipValidations: options.skipValidations,
    });
    this.performSelfAnalysis();
  }

  // A record without brackets. The members are not a rule of their own, because chevrotain finds its way back to the next
  // member only where it sees what must come after the last one.
  readonly program = this.RULE("program", () => {
    this.MANY(() => this.SUBRULE(this.member));
    this.CONSUME(EOF);
  });

  // name [i:first..last] (parameters) = value ;
  readonly member = this.RULE("member", () => {
    this.CONSUME(tokens.Identifier, { LABEL: "name" });
    this.OPTION(() => this.SUBRULE(this.indexRange));
    this.OPTION2(() => this.SUBRULE(this.argumentList, { LABEL: "parameters" }));
    this.CONSUME(tokens.Assign);
    this.SUBRULE(this.expression, { LABEL: "value" });
    this.OPTION3(() => this.CONSUME(tokens.Semicolon));
  });

  // [i : first .. last]
  readonly indexRange = this.RULE("indexRange", () => {
    this.CONSUME(tokens.SquareOpen);
    this.CONSUME(tokens.Identifier);
    this.CONSUME(tokens.Colon);
    this.SUBRULE(this.expression, { LABEL: "first" });
    this.CONSUME(tokens.Range);
    this.SUBRULE2(this.expression, { LABEL: "last" });
    this.CONSUME(tokens.SquareClose);
  });

  // ( … ) or { … }, of a call as well as of a definition
  readonly argumentList = this.RULE("argumentList", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(tokens.RoundOpen, { LABEL: "open" });
          this.SUBRULE(this.arguments);
          this.CONSUME(tokens.RoundClose, { LABEL: "close" });
        },
      },
      {
        ALT: () => {
          this.CONSUME(tokens.CurlyOpen, { LABEL: "open" });
          this.SUBRULE2(this.arguments);
          this.CONSUME(tokens.CurlyClose, { LABEL: "close" });
        },
      },
    ]);
  });

  readonly arguments = this.RULE("arguments", () => {
    this.OPTION(() => {
      this.SUBRULE(this.argument);
      this.MANY(() => {
        this.CONSUME(tokens.Comma);
        this.SUBRULE2(this.argument);
      });
    });
  });

  // value, or name = value
  readonly argument = this.RULE("argument", () => {
    this.SUBRULE(this.expression, { LABEL: "value" });
    this.OPTION(() => {
      this.CONSUME(tokens.Assign);
      this.SUBRULE2(this.expression, { LABEL: "assigned" });
    });
  });

  // Operators and operands in turn. What follows `=>` extends as far as possible.
  readonly expression = this.RULE("expression", () => {
    this.SUBRULE(this.postfixed, { LABEL: "operand" });
    this.MANY(() => {
      this.CONSUME(tokens.BinaryOperatorToken, { LABEL: "operator" });
      this.SUBRULE2(this.postfixed, { LABEL: "operand" });
    });
    this.OPTION(() => {
      this.CONSUME(tokens.Arrow);
      this.SUBRULE(this.expression, { LABEL: "body" });
    });
  });

  // An operand with `.name`, `[index]`, `(arguments)`, `{arguments}` behind it.
  readonly postfixed = this.RULE("postfixed", () => {
    this.SUBRULE(this.operand);
    this.MANY(() => this.SUBRULE(this.postfix));
  });

  readonly postfix = this.RULE("postfix", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(tokens.Dot);
          this.CONSUME(tokens.Identifier);
        },
      },
      {
        ALT: () => {
          this.CONSUME(tokens.SquareOpen);
          this.SUBRULE(this.expression, { LABEL: "index" });
          this.CONSUME(tokens.SquareClose);
        },
      },
      { ALT: () => this.SUBRULE(this.argumentList) },
    ]);
  });

  readonly operand = this.RULE("operand", () => {
    this.OR({
      DEF: [
        { ALT: () => this.CONSUME(tokens.NumberLiteral) },
        { ALT: () => this.CONSUME(tokens.StringLiteral) },
        { ALT: () => this.CONSUME(tokens.True) },
        { ALT: () => this.CONSUME(tokens.False) },
        { ALT: () => this.CONSUME(tokens.Identifier) },
        { ALT: () => this.SUBRULE(this.unary) },
        { ALT: () => this.SUBRULE(this.parenthesized) },
        { ALT: () => this.SUBRULE(this.record) },
        { ALT: () => this.SUBRULE(this.construction) },
        { ALT: () => this.SUBRULE(this.conditional) },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.array) },
      ],
      ERR_MSG: "operand",
    });
  });

  // Unary operators bind tighter than binary ones, `**` included, and weaker than what stands behind an operand.
  readonly unary = this.RULE("unary", () => {
    this.CONSUME(tokens.UnaryOperatorToken, { LABEL: "operator" });
    this.SUBRULE(this.postfixed, { LABEL: "operand" });
  });

  readonly parenthesized = this.RULE("parenthesized", () => {
    this.CONSUME(tokens.RoundOpen);
    this.SUBRULE(this.expression);
    this.CONSUME(tokens.RoundClose);
  });

  readonly record = this.RULE("record", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(tokens.CurlyOpen, { LABEL: "open" });
          this.MANY(() => this.SUBRULE(this.member));
          this.CONSUME(tokens.CurlyClose);
        },
      },
      {
        ALT: () => {
          this.CONSUME(tokens.SquareOpen, { LABEL: "open" });
          this.MANY2(() => this.SUBRULE2(this.member));
          this.CONSUME(tokens.SquareClose);
        },
      },
    ]);
  });

  // new Name operand; nothing is taken from behind the operand
  readonly construction = this.RULE("construction", () => {
    this.CONSUME(tokens.New);
    this.CONSUME(tokens.Identifier);
    this.SUBRULE(this.operand);
  });

  readonly conditional = this.RULE("conditional", () => {
    this.CONSUME(tokens.If);
    this.SUBRULE(this.expression, { LABEL: "condition" });
    this.CONSUME(tokens.Then);
    this.SUBRULE2(this.expression, { LABEL: "whenTrue" });
    this.CONSUME(tokens.Else);
    this.SUBRULE3(this.expression, { LABEL: "whenFalse" });
  });

  // [| a ; b ; c |]
  readonly list = this.RULE("list", () => {
    this.CONSUME(tokens.ListOpen);
    this.OPTION(() => {
      this.SUBRULE(this.expression, { LABEL: "item" });
      this.MANY(() => {
        this.CONSUME(tokens.Semicolon);
        this.SUBRULE2(this.expression, { LABEL: "item" });
      });
    });
    this.CONSUME(tokens.ListClose);
  });

  // array[first..last](initializer)
  readonly array = this.RULE("array", () => {
    this.CONSUME(tokens.ArrayKeyword);
    this.CONSUME(tokens.SquareOpen);
    this.SUBRULE(this.expression, { LABEL: "first" });
    this.CONSUME(tokens.Range);
    this.SUBRULE2(this.expression, { LABEL: "last" });
    this.CONSUME(tokens.SquareClose);
    this.CONSUME(tokens.RoundOpen);
    this.SUBRULE3(this.expression, { LABEL: "initializer" });
    this.CONSUME(tokens.RoundClose);
  });
}

/** Concrete syntax: children by label, in the order they were written. */
export type Cst = CstNode;

/** First token with this label; undefined where the parser recovered from its absence. */
export function tokenIn(node: Cst, label: string): IToken | undefined {
  const child = node.children[label]?.[0];
  return child && "image" in child ? child : undefined;
}

/** All subtrees with this label. */
export function nodesIn(node: Cst, label: string): Cst[] {
  return (node.children[label] ?? []).filter((child): child is CstNode => "children" in child);
}

let parser: BrainScriptParser | undefined;

/** The parser, built when first needed: its construction is a large part of a short run. Validation is a test's task. */
export function brainScriptParser(): BrainScriptParser {
  parser ??= new BrainScriptParser({ skipValidations: true });
  return parser;
}
