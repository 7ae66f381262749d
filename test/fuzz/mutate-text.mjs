// Damages configuration text in the ways of typing, copying and malice, reproducibly: the same seed gives the same text.
import { generator } from "./mutate.mjs";

/** Words at which programs stumble: numbers without measure, names that every object has, values without end. */
const hostileWords = [
  ..."0 -1 1e9 1e18 -1e308 1e999 nan inf 4294967296 0.5 1:2:3 65536 1e-320 constructor __proto__ toString".split(
    " ",
  ),
  ..."hasOwnProperty true false None $a$ $command$ $x$$x$ [ ] { } ( ) \" ' // # ; : , = => . .. | << >> + - * / % ! && ||".split(
    " ",
  ),
  ..."if then else new array include with BS.Constants.None Repeat(10000,1) Repeat(1e9,1) {} () [||] [|1|]".split(
    " ",
  ),
  "array[0..1e9](i=>i)",
  'Format(1,".1000")',
  'Format(1,"999999999999")',
  "Constant(0)",
  "Parameter{1e6,1e6}",
  "\u0000",
  "\t",
  "\n",
  "é",
  "\ud800",
  "(".repeat(300),
  "[a=".repeat(200),
];

/** Offsets where words, numbers, strings and signs of a text begin and end. */
function tokens(text) {
  const found = [...text.matchAll(/[\w.$]+|"[^"\n]*"|\s+|[^\w\s]/g)];
  return found.map((match) => ({ begin: match.index, end: match.index + match[0].length, text: match[0] }));
}

const cut = (text, begin, end, put = "") => text.slice(0, begin) + put + text.slice(end);

const damages = [
  // A token goes, comes twice, changes places with another, or becomes a hostile word.
  (text, list, random) => {
    const { begin, end } = list[random(list.length)];
    return cut(text, begin, end);
  },
  (text, list, random) => {
    const { begin, text: token } = list[random(list.length)];
    return cut(text, begin, begin, `${token} `);
  },
  (text, list, random) => {
    const [a, b] = [random(list.length), random(list.length)]
      .sort((x, y) => x - y)
      .map((index) => list[index]);
    if (a === b) return text;
    return text.slice(0, a.begin) + b.text + text.slice(a.end, b.begin) + a.text + text.slice(b.end);
  },
  (text, list, random) => {
    const { begin, end } = list[random(list.length)];
    return cut(text, begin, end, hostileWords[random(hostileWords.length)]);
  },
  (text, list, random) => {
    const { begin } = list[random(list.length)];
    return cut(text, begin, begin, ` ${hostileWords[random(hostileWords.length)]} `);
  },
  // A number becomes another.
  (text, list, random) => {
    const numbers = list.filter((token) => /^-?[\d.]+$/.test(token.text));
    if (numbers.length === 0) return text;
    const { begin, end } = numbers[random(numbers.length)];
    return cut(text, begin, end, hostileWords[random(18)]);
  },
  // A character changes; a piece is missing, stands twice, or stands elsewhere; the end is missing.
  (text, _list, random) => {
    const at = random(text.length);
    return cut(text, at, at + 1, String.fromCharCode(random(2) ? 32 + random(95) : random(0x3000)));
  },
  (text, _list, random) => {
    const at = random(text.length);
    return cut(text, at, at + 1 + random(200));
  },
  (text, _list, random) => {
    const at = random(text.length);
    return cut(text, at, at, text.slice(at, at + 1 + random(400)));
  },
  (text, _list, random) => {
    const [from, to] = [random(text.length), random(text.length)];
    return cut(text, to, to, text.slice(from, from + 1 + random(200)));
  },
  (text, _list, random) => (random(4) === 0 ? text.slice(0, random(text.length)) : text),
];

/** The text with one to four pieces of damage, chosen by `seed`. */
export function mutatedText(text, seed) {
  const random = generator(seed);
  let result = text;
  for (let times = 1 + (random(2) === 0 ? random(4) : 0); times > 0 && result.length > 4; times--) {
    result = damages[random(damages.length)](result, tokens(result), random);
  }
  return result;
}
