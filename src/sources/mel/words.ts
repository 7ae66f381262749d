/**
 * CNTK's rule for the words of editing scripts: the first half of a word is enough, in any case (EqualInsensitive). `given` is
 * the word of the script.
 */
export function isWord(given: string, ...words: readonly string[]): boolean {
  return words.some((word) => {
    const half = Math.floor(word.length / 2);
    return given.length >= half && word.toLowerCase().startsWith(given.toLowerCase());
  });
}
