import { inHashOrder } from "./hash-order.js";
import { heapOrder } from "./standard-heap.js";

/** A vocabulary: words with how often they occur. */
export interface CountedWord {
  readonly word: string;
  readonly count: number;
  readonly wordClass: number;
}

/** Occurrences of each word of a text, in the order in which they first occur. */
export function countWords(text: string, beginSequence: string, endSequence: string): Map<string, number> {
  const counts = new Map<string, number>();
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  for (const line of lines) {
    let sentence = line.replace(/^ +| +$/g, "");
    if (!sentence.includes(`${beginSequence} `)) sentence = `${beginSequence} ${sentence}`;
    if (!sentence.includes(` ${endSequence}`)) sentence = `${sentence} ${endSequence}`;
    const words = sentence.split(/[\t ]+/).filter((word) => word !== "");
    // One mark for both ends is counted once.
    const first = beginSequence === endSequence ? 1 : 0;
    for (const word of words.slice(first)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/**
 * Puts the most frequent words into classes of about equal weight, a word's weight being the root of its frequency (after
 * Mikolov). All other words become the unknown one.
 * Source: ActionsLib/OtherActions.cpp, DoWriteWordAndClassInfo.
 */
export function formClasses(
  counts: ReadonlyMap<string, number>,
  vocabularySize: number,
  classCount: number,
  unknownWord: string,
): CountedWord[] {
  type Counted = readonly [word: string, count: number];
  const isLess = (a: Counted, b: Counted): boolean => a[1] < b[1];
  const kept = new Map<string, number>();
  let unknown = 0;
  let wanted = vocabularySize - 1;
  let taken = 0;
  for (const [word, count] of heapOrder(inHashOrder(counts), isLess)) {
    if (taken < wanted) {
      taken++;
      if (word === unknownWord) {
        unknown += count;
        wanted++;
      }
      kept.set(word, count);
    } else {
      unknown += count;
    }
  }
  kept.set(unknownWord, unknown);
  const entries = inHashOrder(kept);
  let total = 0;
  let weights = 0;
  for (const [, count] of entries) total += count;
  for (const [, count] of entries) weights += Math.sqrt(count / total);
  const words: CountedWord[] = [];
  let weight = 0;
  let wordClass = 0;
  for (const [word, count] of heapOrder(entries, isLess)) {
    weight = Math.min(1, weight + Math.sqrt(count / total) / weights);
    if (weight > (wordClass + 1) / classCount && wordClass < classCount) wordClass++;
    words.push({ word, count, wordClass });
  }
  return words;
}
