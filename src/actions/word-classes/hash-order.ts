/*
 * The order in which GNU's `std::unordered_map<std::string, …>` runs through its entries. CNTK forms word classes from such
 * a map, and words of the same count follow its order.
 */

const mask = 0xffffffffffffffffn;
const multiplier = 0xc6a4a7935bd1e995n;
const hashSeed = 0xc70f6907n;

const mixed = (value: bigint): bigint => value ^ (value >> 47n);
const times = (a: bigint, b: bigint): bigint => (a * b) & mask;

/** Hash of a text's bytes (libstdc++, hash_bytes.cc: MurmurHash64A with a seed of its own). */
export function standardHash(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hash = hashSeed ^ times(BigInt(bytes.length), multiplier);
  const whole = bytes.length - (bytes.length % 8);
  for (let at = 0; at < whole; at += 8) {
    const data = times(mixed(times(view.getBigUint64(at, true), multiplier)), multiplier);
    hash = times(hash ^ data, multiplier);
  }
  if (whole < bytes.length) {
    let data = 0n;
    for (let at = bytes.length - 1; at >= whole; at--) data = (data << 8n) | BigInt(bytes[at] ?? 0);
    hash = times(hash ^ data, multiplier);
  }
  return mixed(times(mixed(hash), multiplier));
}

/** Numbers of buckets that a map has when it grows entry by entry: the first prime of its list beyond the double. */
const bucketCounts = [
  13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10273, 20753, 42043, 85229, 172933, 351061, 712697, 1447153,
  2938679, 5967347, 12117689, 24607243, 49969847,
];

interface Entry {
  readonly key: string;
  readonly hash: bigint;
  next: Entry | undefined;
}

/** Keys in the order of such a map. A key is entered at the front of its bucket, a new bucket at the front of all. */
class KeyChain {
  /** Stands before the first entry. */
  private readonly front: { next: Entry | undefined } = { next: undefined };
  /** By bucket the entry before its first one. */
  private buckets = new Map<number, { next: Entry | undefined }>();
  private bucketCount = 1;
  private size = 0;

  insert(key: string, hash: bigint): void {
    this.grow();
    const entry: Entry = { key, hash, next: undefined };
    const bucket = this.bucketOf(entry);
    const before = this.buckets.get(bucket);
    if (before) {
      entry.next = before.next;
      before.next = entry;
    } else {
      entry.next = this.front.next;
      this.front.next = entry;
      if (entry.next) this.buckets.set(this.bucketOf(entry.next), entry);
      this.buckets.set(bucket, this.front);
    }
    this.size++;
  }

  *keys(): Generator<string, void, undefined> {
    for (let entry = this.front.next; entry; entry = entry.next) yield entry.key;
  }

  private bucketOf({ hash }: Entry): number {
    return Number(hash % BigInt(this.bucketCount));
  }

  private grow(): void {
    const capacity = this.bucketCount === 1 ? 0 : this.bucketCount;
    if (this.size + 1 <= capacity) return;
    const larger = bucketCounts.find((count) => count > this.bucketCount);
    if (larger === undefined) throw new RangeError("more words than fit into the table");
    this.bucketCount = larger;
    this.buckets = new Map();
    let entry = this.front.next;
    this.front.next = undefined;
    let firstBucket = 0;
    while (entry) {
      const following: Entry | undefined = entry.next;
      const bucket = this.bucketOf(entry);
      const before = this.buckets.get(bucket);
      if (before) {
        entry.next = before.next;
        before.next = entry;
      } else {
        entry.next = this.front.next;
        this.front.next = entry;
        this.buckets.set(bucket, this.front);
        if (entry.next) this.buckets.set(firstBucket, entry);
        firstBucket = bucket;
      }
      entry = following;
    }
  }
}

/** The entries of a map in the order of GNU's `std::unordered_map`, if they were entered in the order of this one. */
export function inHashOrder<T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] {
  const encoder = new TextEncoder();
  const chain = new KeyChain();
  for (const key of map.keys()) chain.insert(key, standardHash(encoder.encode(key)));
  const ordered: (readonly [string, T])[] = [];
  for (const key of chain.keys()) {
    const value = map.get(key);
    if (value !== undefined) ordered.push([key, value]);
  }
  return ordered;
}
