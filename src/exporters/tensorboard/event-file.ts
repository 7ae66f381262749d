import protobuf from "protobufjs";
import type { FileAccess, LogFile } from "../../files/file-access.js";
import { eventSchema } from "./schema.js";

const types = protobuf.Root.fromJSON(eventSchema);

/** The bytes of a message; where a field is left out, it has its default. */
export function encoded(type: keyof typeof eventSchema.nested, message: object): Uint8Array {
  return types.lookupType(type).encode(message).finish();
}

/**
 * A file that TensorBoard shows, begun with the first record: `events.out.tfevents.SECONDS.HOST` in its folder. Each record is
 * in the file as soon as it is written.
 * Source: CNTKv2LibraryDll/tensorboard/TensorBoardFileWriter.cpp.
 */
export class EventFile {
  private file: LogFile | undefined;

  constructor(
    private readonly files: FileAccess,
    private readonly folder: string,
    private readonly host: string,
    /** The bytes of a GraphDef, written behind the version. */
    private readonly graph: Uint8Array,
  ) {}

  /** A point of the curve `tag`. */
  value(tag: string, value: number, step: number): void {
    this.write({ step, summary: { value: [{ tag, simpleValue: value }] } });
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }

  private write(event: object): void {
    // Whole seconds, as CNTK's clock gives them.
    const wallTime = Math.floor(Date.now() / 1000);
    if (!this.file) {
      const seconds = String(wallTime).padStart(10, "0");
      this.file = this.files.log(`${this.folder}/events.out.tfevents.${seconds}.${this.host}`);
      this.file.write(record(encoded("Event", { wallTime, fileVersion: "brain.Event:2" })));
      this.file.write(record(encoded("Event", { wallTime, graphDef: this.graph })));
    }
    this.file.write(record(encoded("Event", { wallTime, ...event })));
  }
}

/** A record of a TFRecord file: its length and the data, each with a check sum behind it. */
export function record(data: Uint8Array): Uint8Array {
  const result = new Uint8Array(data.length + 16);
  const view = new DataView(result.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCheckSum(result.subarray(0, 8)), true);
  result.set(data, 12);
  view.setUint32(12 + data.length, maskedCheckSum(data), true);
  return result;
}

/** CRC-32C, bit by bit: records are short. Source: RFC 3720, appendix B.4; the mask is TensorFlow's. */
function maskedCheckSum(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f63b78 : 0);
  }
  sum = ~sum >>> 0;
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}
