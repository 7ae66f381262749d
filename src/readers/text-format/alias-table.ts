import type { TextInput } from "./options.js";

/** The names of streams in a text file, as bytes. */
export class AliasTable {
  /** Bytes of the longest name. */
  readonly longest: number;
  private readonly aliases: readonly Uint8Array[];

  constructor(inputs: readonly TextInput[]) {
    const encoder = new TextEncoder();
    this.aliases = inputs.map((input) => encoder.encode(input.alias));
    this.longest = Math.max(...this.aliases.map((alias) => alias.length));
  }

  /** Index of the stream that the bytes `[start, end)` name exactly; -1 if there is none. */
  find(bytes: Uint8Array, start: number, end: number): number {
    for (let s = 0; s < this.aliases.length; s++) {
      const alias = this.aliases[s] as Uint8Array;
      if (alias.length !== end - start) continue;
      let i = 0;
      while (i < alias.length && alias[i] === bytes[start + i]) i++;
      if (i === alias.length) return s;
    }
    return -1;
  }
}
