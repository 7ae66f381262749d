/** Longer names are not kept a second time. */
const short = 128;

interface Entry<T> {
  readonly name: string;
  readonly value: T;
}

/**
 * What bears a name, by name: without regard to case, as CNTK looks names up. Names of a deep network are as long as the network
 * is deep, hundreds of megabytes in a chain of 10,000 layers. JavaScript keeps such a name as a link to the name it was made
 * from until somebody reads it; so names are read in copies that are soon forgotten, and long ones are found by a number.
 */
export class NameIndex<T> {
  private readonly entries = new Map<string | number, Entry<T>[]>();

  constructor(entries: Iterable<readonly [name: string, value: T]> = []) {
    for (const [name, value] of entries) this.set(name, value);
  }

  get(name: string): T | undefined {
    return this.find(name, keyOf(name))?.value;
  }

  has(name: string): boolean {
    return this.find(name, keyOf(name)) !== undefined;
  }

  /** Enters a value, in place of the one that has the name. */
  set(name: string, value: T): void {
    const key = keyOf(name);
    const found = this.find(name, key);
    if (found) this.remove(key, found);
    this.insert(key, { name, value });
  }

  /** Enters a value under a name that is free; else returns the value that has it. */
  add(name: string, value: T): T | undefined {
    const key = keyOf(name);
    const found = this.find(name, key);
    if (!found) this.insert(key, { name, value });
    return found?.value;
  }

  delete(name: string): void {
    const key = keyOf(name);
    const found = this.find(name, key);
    if (found) this.remove(key, found);
  }

  *values(): Iterable<T> {
    for (const entries of this.entries.values()) for (const { value } of entries) yield value;
  }

  private find(name: string, key: string | number): Entry<T> | undefined {
    const entries = this.entries.get(key);
    // A short name is its own key.
    if (!entries || typeof key === "string") return entries?.[0];
    const text = lowerCase(name);
    return entries.find((entry) => lowerCase(entry.name) === text);
  }

  private insert(key: string | number, entry: Entry<T>): void {
    const entries = this.entries.get(key);
    if (entries) entries.push(entry);
    else this.entries.set(key, [entry]);
  }

  private remove(key: string | number, entry: Entry<T>): void {
    const others = this.entries.get(key)?.filter((other) => other !== entry) ?? [];
    if (others.length > 0) this.entries.set(key, others);
    else this.entries.delete(key);
  }
}

/** The name in lower case with a mark behind it, which makes a copy of it. */
function lowerCase(name: string): string {
  return `${name}\n`.toLowerCase();
}

/** Does the name contain a text? The name stays as it is kept. */
export function nameIncludes(name: string, text: string): boolean {
  return `${name}\n`.includes(text);
}

/**
 * Short names themselves, of long ones a number; the same for names that differ in case only. The copy in lower case lies in one
 * piece. One that V8 only links together it may put together anew for every character that is read: a deep network never ended.
 */
function keyOf(name: string): string | number {
  if (name.length <= short) return name.toLowerCase();
  const copy = lowerCase(name);
  let hash = 0;
  for (let at = 0; at < copy.length; at++) hash = (Math.imul(hash, 31) + copy.charCodeAt(at)) | 0;
  return hash;
}
