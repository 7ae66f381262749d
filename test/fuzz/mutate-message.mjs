// Damages messages of protocol buffers without breaking their form: lengths are right again, what they say is not.
import { extremes, generator } from "./mutate.mjs";

/** A whole number of 7 bits a byte; undefined where there is none. */
function readVarint(bytes, from) {
  let value = 0n;
  for (let at = from, shift = 0n; at < bytes.length && shift < 70n; at++, shift += 7n) {
    value |= BigInt(bytes[at] & 127) << shift;
    if (bytes[at] < 128) return { value, next: at + 1 };
  }
  return undefined;
}

function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return bytes;
}

/** Longer values are numbers of a parameter or the like, and no messages. */
const longestMessage = 1 << 20;
const fixedSizes = { 1: 8, 5: 4 };

/** The fields of a message; those that are messages themselves have `fields` of their own. Undefined if these are no fields. */
function parse(bytes, depth = 0) {
  const fields = [];
  for (let at = 0; at < bytes.length;) {
    const key = readVarint(bytes, at);
    if (!key || key.value >> 3n === 0n || key.value > 1n << 20n) return undefined;
    const [number, kind] = [key.value >> 3n, Number(key.value & 7n)];
    at = key.next;
    if (kind === 0) {
      const read = readVarint(bytes, at);
      if (!read) return undefined;
      fields.push({ number, kind, value: read.value });
      at = read.next;
      continue;
    }
    const length = kind === 2 ? readVarint(bytes, at) : { value: BigInt(fixedSizes[kind] ?? -1), next: at };
    if (!length || length.value < 0n || length.value > BigInt(bytes.length - length.next)) return undefined;
    at = length.next + Number(length.value);
    const content = bytes.subarray(length.next, at);
    const inner = kind === 2 && depth < 24 && content.length > 1 && content.length < longestMessage;
    fields.push({ number, kind, content, fields: inner ? parse(content, depth + 1) : undefined });
  }
  return fields;
}

function encode(fields) {
  const pieces = fields.flatMap(({ number, kind, value, content, fields: inner }) => {
    const key = Uint8Array.from(varint((number << 3n) | BigInt(kind)));
    if (kind === 0) return [key, Uint8Array.from(varint(value))];
    const bytes = inner ? encode(inner) : content;
    return kind === 2 ? [key, Uint8Array.from(varint(BigInt(bytes.length))), bytes] : [key, bytes];
  });
  return new Uint8Array(Buffer.concat(pieces));
}

/** All lists of fields, the outermost first. */
function lists(fields) {
  return [fields, ...fields.flatMap(({ fields: inner }) => (inner ? lists(inner) : []))];
}

const changes = [
  (list, at, random) =>
    void (list[at].value !== undefined && (list[at].value = extremes[random(extremes.length)])),
  (list, at, random) => void (list[at].value !== undefined && (list[at].value = BigInt(random(60)))),
  (list, at) => void list.splice(at, 1),
  (list, at) => void list.splice(at, 0, list[at]),
  (list, at, random) => void ([list[at], list[random(list.length)]] = [list[random(list.length)], list[at]]),
  (list, at, random) => void (list[at] = { ...list[at], number: BigInt(1 + random(16)) }),
  // A text or a row of numbers becomes another one.
  (list, at, random) => {
    const { content } = list[at];
    if (!content || list[at].fields) return;
    const copy = content.slice(0, random(3) === 0 ? random(content.length + 1) : content.length);
    if (copy.length > 0) copy[random(copy.length)] = random(256);
    list[at] = { ...list[at], content: copy };
  },
];

/** The message with one to three fields changed, chosen by `seed`; its form is sound. */
export function mutatedMessage(bytes, seed) {
  const random = generator(seed);
  random(2);
  const fields = parse(bytes);
  if (!fields) return bytes;
  const all = lists(fields).filter(({ length }) => length > 0);
  for (let times = 1 + random(3); times > 0; times--) {
    const list = all[random(all.length)];
    if (list.length > 0) changes[random(changes.length)](list, random(list.length), random);
  }
  return encode(fields.filter(Boolean));
}
