/**
 * Text from files on its way to a terminal: a hostile file must not move the cursor, change the window's title, turn the
 * writing direction or fill the screen.
 */

/**
 * Control characters but tab and newline, marks that turn the writing direction, Unicode's line ends and halves of
 * characters. A carriage return before a newline is a line end of Windows and harmless.
 */
const unsafe =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\r(?!\n)|\p{Surrogate}/gu;

/** How an unsafe character is shown: `\x1b`, `\u202e`, and the usual `\r`. */
function escaped(character: string): string {
  const code = character.charCodeAt(0);
  if (character === "\r") return "\\r";
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** The text with every character that would act on a terminal shown as an escape; tabs and line ends stay. */
export function visible(text: string): string {
  return text.replace(unsafe, escaped);
}

/** The same for text that has to stay on one line. */
export function visibleLine(text: string): string {
  return visible(text).replace(/\r?\n/g, "\\n");
}

/** A text of at most about `longest` characters: what is too long loses its middle, and says how much. */
export function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const head = Math.ceil(longest * 0.7);
  const tail = longest - head;
  const omitted = text.length - head - tail;
  return `${text.slice(0, head)}… ${omitted} characters …${text.slice(text.length - tail)}`;
}

/** A line that is longer than anybody writes by hand, and a text of more lines than anybody reads. */
const longestLine = 4000;
const longestText = 1_000_000;

/** The echo of a file: every line of it, but none of endless length. */
export function shortenedLines(text: string): string {
  if (text.length <= longestLine) return text;
  return shortened(
    text
      .split("\n")
      .map((line) => shortened(line, longestLine))
      .join("\n"),
    longestText,
  );
}
