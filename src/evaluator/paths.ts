import type { BinaryOperatorName } from "./values.js";

/**
 * Expression paths name the nodes that an expression creates: `z.conv1.W`. They follow the way through the syntax tree,
 * with the odd spellings CNTK has for operands (`>=` shares `GT` with `>`).
 */
export function joinPath(path: string, name: string): string {
  if (path === "") return name;
  return name === "" ? path : extended(path, `.${name}`);
}

/** How often a path is written out while it doubles. */
const timesWritten = 16;

/**
 * A longer path. What `+` makes is a link to the shorter one; where many follow one another in a deep network, reading one
 * would go all the way back, again and again. So now and then one is written out, which the others share: the seldomer, the
 * longer they are. `join` writes; reading a character would too, but compiled code leaves out a reading whose result is known.
 */
function extended(path: string, addition: string): string {
  const length = path.length + addition.length;
  const step = (characters: number): number => Math.floor(Math.log2(characters) * timesWritten);
  return length < 64 || step(length) === step(path.length) ? path + addition : [path, addition].join("");
}

const operatorNames: Readonly<Record<BinaryOperatorName, string>> = {
  "*": "Times",
  "/": "Div",
  ".*": "ElementTimes",
  "**": "Pow",
  "%": "Mod",
  "+": "Plus",
  "-": "Minus",
  with: "With",
  "==": "Equal",
  "!=": "NotEqual",
  "<": "LT",
  "<=": "LE",
  ">": "GT",
  ">=": "GT",
  "&&": "And",
  "||": "Or",
  "<<": "Shift",
  ">>": "Before",
};

/** Path of the left (0) or right (1) operand of an operator. */
export function operandPath(path: string, operator: BinaryOperatorName, index: 0 | 1): string {
  return joinPath(path, `${operatorNames[operator]}Args[${index}]`);
}

/** Path of an item of `a:b:c`; unlike an element of `array[…]` it gets its index even at the top. */
export function itemPath(path: string, index: number): string {
  return extended(path, `[${index}]`);
}

/** Path of an element of `array[a..b](…)`, by its real index. */
export function elementPath(path: string, index: number): string {
  return path === "" ? "" : extended(path, `[${index}]`);
}
