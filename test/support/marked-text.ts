/** Text with the places of interest marked: `a = <|b|>`. Markers do not nest. */
export interface MarkedText {
  readonly text: string;
  /** `[start, end)` of what stood between markers, in the text without them. */
  readonly ranges: readonly { readonly start: number; readonly end: number }[];
}

/** Takes the markers `<|` and `|>` out of a text. */
export function marked(source: string): MarkedText {
  let text = "";
  const starts: number[] = [];
  const ends: number[] = [];
  for (const piece of source.split(/(<\||\|>)/)) {
    if (piece === "<|") starts.push(text.length);
    else if (piece === "|>") ends.push(text.length);
    else text += piece;
  }
  return { text, ranges: starts.map((start, index) => ({ start, end: ends[index] ?? text.length })) };
}
