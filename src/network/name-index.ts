/** Longer names are not kept a second time. */
const short = 128;

/**
 * What bears a name, by name: without regard to case, as CNTK looks names up. Names of a deep network are as long as the network
 * is deep, hundreds of megabytes in a chain of 10,000 layers. JavaScript keeps such a name as a link to the name it was made
 * from until somebody reads it; so names are read in copies that are soon forgotten, and long ones are found by a number.
 */
export class NameIndex<T> {
  private readonly entries = new Map<string | number, { readonly name: string; readonly value: T }[]>();

  constructor(entries: Iterable<readonly [name: string, value: T]> = []) {
    for (const [name, value] of entries) this.set(name, value);
  }

  get(name: string): T | undefined {
    const text = lowerCase(name);
    return this.entries.get(keyOf(text))?.find((entry) => lowerCase(entry.name) === text)?.value;
  }

  has(name: string): boolean {
    const text = lowerCase(name);
    return this.entries.get(keyOf(text))?.some((entry) => lowerCase(entry.name) === text) ?? false;
  }

  /** Enters a value, in place of the one that has the name. */
  set(name: string, value: T): void {
    const text = lowerCase(name);
    const key = keyOf(text);
    const others = this.entries.get(key)?.filter((entry) => lowerCase(entry.name) !== text) ?? [];
    this.entries.set(key, [...others, { name, value }]);
  }

  delete(name: string): void {
    const text = lowerCase(name);
    const key = keyOf(text);
    const others = this.entries.get(key)?.filter((entry) => lowerCase(entry.name) !== text) ?? [];
    if (others.length > 0) this.entries.set(key, others);
    else this.entries.delete(key);
  }

  *values(): Iterable<T> {
    for (const entries of this.entries.values()) for (const { value } of entries) yield value;
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

function keyOf(text: string): string | number {
  if (text.length <= short) return text;
  let hash = text.length;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}
