/** A field of a message: the name under which its content is found, and what that is: a number, text or bytes, or a message. */
export interface FieldSchema {
  readonly name: string;
  readonly type: string;
  readonly repeated?: true;
}

/** The fields of each message, by their numbers. */
export type Schema = Readonly<Record<string, Readonly<Record<number, FieldSchema>>>>;

/** What a message holds, by the names of its fields; what is absent is undefined. */
export type Message = Readonly<Record<string, unknown>>;

/** How the content of a field lies in the file; the numbers are protobuf's. */
const wire = { number: 0, eightBytes: 1, stretch: 2, fourBytes: 5 } as const;

const wireOf: Readonly<Record<string, number>> = {
  uint64: wire.number,
  int32: wire.number,
  bool: wire.number,
  double: wire.eightBytes,
  float: wire.fourBytes,
};

/** A number of 64 bits takes no more bytes. */
const longestNumber = 10;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads messages in protobuf's wire format, as a schema describes them; fields that it does not know are passed over. A reader of
 * its own because every start that may come upon a model would have to load the package protobufjs, and because large bytes
 * stay where they are.
 * Source: protobuf.dev/programming-guides/encoding.
 */
export class WireReader {
  /** Offset of the next byte. */
  position = 0;
  private end: number;
  private depth = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly schema: Schema,
    private readonly limits: {
      /** So deep may messages lie in each other. */
      readonly depth: number;
      /** The error for bytes that are missing, or mean nothing, at `position`. */
      readonly broken: () => Error;
    },
  ) {
    this.end = bytes.length;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A message up to the end of the bytes. Throws what `broken` makes. */
  message(type: string): Message {
    const fields = this.schema[type] ?? {};
    const content: Record<string, unknown> = {};
    if (this.depth++ > this.limits.depth) throw this.limits.broken();
    while (this.position < this.end) {
      const tag = this.whole();
      const field = fields[Math.floor(tag / 8)];
      if (tag < 8) throw this.limits.broken();
      if (!field || !this.read(field, tag % 8, content)) this.pass(tag % 8);
    }
    this.depth--;
    return content;
  }

  /** Reads a field into `content` if it lies there as its type does. */
  private read(
    { name, type, repeated }: FieldSchema,
    found: number,
    content: Record<string, unknown>,
  ): boolean {
    const expected = wireOf[type] ?? wire.stretch;
    const isPacked = repeated === true && found === wire.stretch && expected !== wire.stretch;
    if (found !== expected && !isPacked) return false;
    if (!repeated) {
      content[name] = this.value(type);
      return true;
    }
    const list = (content[name] ??= []) as unknown[];
    if (!isPacked) list.push(this.value(type));
    else
      this.inside(() => {
        while (this.position < this.end) list.push(this.value(type));
      });
    return true;
  }

  private value(type: string): unknown {
    switch (type) {
      case "uint64":
        return this.whole();
      case "int32":
        return this.signed();
      case "bool":
        return this.whole() !== 0;
      case "float":
        return this.view.getFloat32(this.take(4), true);
      case "double":
        return this.view.getFloat64(this.take(8), true);
      case "string":
        return this.text();
      case "bytes":
        return this.stretch();
      default:
        return this.inside(() => this.message(type));
    }
  }

  /** A number of up to 64 bits; from 2^53 on it is rounded. */
  private whole(): number {
    let value = 0;
    for (let i = 0; i < longestNumber; i++) {
      const byte = this.bytes[this.take(1)] as number;
      value += (byte & 127) * 128 ** i;
      if (byte < 128) return value;
    }
    throw this.limits.broken();
  }

  /** The lower 32 bits of a number, the highest of them its sign. */
  private signed(): number {
    let value = 0;
    for (let i = 0; i < longestNumber; i++) {
      const byte = this.bytes[this.take(1)] as number;
      if (i < 5) value |= (byte & 127) << (7 * i);
      if (byte < 128) return value;
    }
    throw this.limits.broken();
  }

  /** Bytes with their number in front, where they lie. */
  private stretch(): Uint8Array {
    const length = this.whole();
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }

  private text(): string {
    const start = this.position;
    const bytes = this.stretch();
    try {
      return utf8.decode(bytes);
    } catch {
      this.position = start;
      throw this.limits.broken();
    }
  }

  /** Does `work` on a stretch of bytes as if they were all. */
  private inside<T>(work: () => T): T {
    const length = this.whole();
    const outer = this.end;
    this.end = this.take(length) + length;
    this.position -= length;
    const result = work();
    this.end = outer;
    return result;
  }

  private pass(found: number): void {
    switch (found) {
      case wire.number:
        this.whole();
        return;
      case wire.eightBytes:
        this.take(8);
        return;
      case wire.stretch:
        this.stretch();
        return;
      case wire.fourBytes:
        this.take(4);
        return;
      default:
        // Groups, which nobody has written for many years, are not in CNTK's files.
        throw this.limits.broken();
    }
  }

  private take(count: number): number {
    const at = this.position;
    if (at + count > this.end) throw this.limits.broken();
    this.position = at + count;
    return at;
  }
}
