import type { PendingFile } from "../files/file-access.js";

/** Pieces are handed on when they have become this long. */
const pieceSize = 1 << 20;

/** Writes numbers, little-endian, in pieces, and knows how far it is. */
export class BytePieces {
  position = 0;
  private readonly bytes = new Uint8Array(pieceSize);
  private readonly view = new DataView(this.bytes.buffer);
  private at = 0;

  constructor(private readonly file: PendingFile) {}

  uint32(value: number): void {
    this.room(4);
    this.view.setUint32(this.at, value, true);
    this.move(4);
  }

  uint64(value: number | bigint): void {
    this.room(8);
    this.view.setBigUint64(this.at, BigInt(value), true);
    this.move(8);
  }

  byte(value: number): void {
    this.room(1);
    this.view.setUint8(this.at, value);
    this.move(1);
  }

  float(value: number, isDouble: boolean): void {
    const size = isDouble ? 8 : 4;
    this.room(size);
    if (isDouble) this.view.setFloat64(this.at, value, true);
    else this.view.setFloat32(this.at, value, true);
    this.move(size);
  }

  ascii(text: string): void {
    for (const character of text) this.byte(character.charCodeAt(0));
  }

  flush(): void {
    if (this.at > 0) this.file.write(this.bytes.slice(0, this.at));
    this.at = 0;
  }

  private room(size: number): void {
    if (this.at + size > pieceSize) this.flush();
  }

  private move(size: number): void {
    this.at += size;
    this.position += size;
  }
}
