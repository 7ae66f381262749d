import type { ElementType } from "../numerics/values.js";
import type { FieldGroup } from "../network/stored-fields.js";
import type { ModelMatrix, Whole } from "./model-file.js";

/** Takes the pieces of a file in order. */
export type ByteSink = (piece: Uint8Array) => void;

const bufferSize = 1 << 16;

/**
 * Writes the primitive encodings of CNTK's binary files. Small values are gathered, matrices handed on as they are, so that
 * a large model never exists twice.
 * Source: Source/Common/File.cpp, Source/Math/Matrix.h.
 */
export class ByteWriter {
  private buffer = new Uint8Array(bufferSize);
  private view = new DataView(this.buffer.buffer);
  private length = 0;

  constructor(private readonly sink: ByteSink) {}

  /** Hands on what is left. */
  finish(): void {
    if (this.length > 0) this.sink(this.buffer.slice(0, this.length));
    this.length = 0;
  }

  private room(count: number): number {
    if (this.length + count > bufferSize) this.finish();
    const at = this.length;
    this.length += count;
    return at;
  }

  unsigned4(value: number): void {
    this.view.setUint32(this.room(4), value, true);
  }

  signed4(value: number): void {
    this.view.setInt32(this.room(4), value, true);
  }

  unsigned8(value: Whole): void {
    this.view.setBigUint64(this.room(8), BigInt(value), true);
  }

  signed8(value: Whole): void {
    this.view.setBigInt64(this.room(8), BigInt(value), true);
  }

  float4(value: number): void {
    this.view.setFloat32(this.room(4), value, true);
  }

  float8(value: number): void {
    this.view.setFloat64(this.room(8), value, true);
  }

  boolean(value: boolean): void {
    this.view.setUint8(this.room(1), value ? 1 : 0);
  }

  element(type: ElementType, value: number): void {
    if (type === "float") this.float4(value);
    else this.float8(value);
  }

  wideText(text: string): void {
    for (let i = 0; i < text.length; i++) this.view.setUint16(this.room(2), text.charCodeAt(i), true);
    this.view.setUint16(this.room(2), 0, true);
  }

  narrowText(text: string): void {
    for (let i = 0; i < text.length; i++) this.view.setUint8(this.room(1), text.charCodeAt(i));
    this.view.setUint8(this.room(1), 0);
  }

  shape(dims: readonly number[]): void {
    this.unsigned4(dims.length);
    for (const dim of dims) this.unsigned4(dim);
  }

  /** A shape, or the image layout of old files. */
  legacyShape(dims: readonly number[] | readonly FieldGroup[]): void {
    const [first] = dims;
    if (typeof first !== "object") return this.shape(dims as readonly number[]);
    for (const size of [first["width"], first["height"], first["channels"]]) this.unsigned8(size ?? 0);
  }

  booleans(values: readonly boolean[]): void {
    this.unsigned8(values.length);
    for (const value of values) this.boolean(value);
  }

  sizes(values: readonly number[]): void {
    this.unsigned8(values.length);
    for (const value of values) this.unsigned8(value);
  }

  /** A dense matrix. */
  matrix(matrix: ModelMatrix): void {
    const { rows, columns, values } = matrix;
    this.view.setUint8(this.room(1), "d".charCodeAt(0));
    this.wideText("BMAT");
    this.unsigned8(values.BYTES_PER_ELEMENT);
    this.wideText("unnamed");
    this.signed4(0);
    this.unsigned8(rows);
    this.unsigned8(columns);
    this.finish();
    // Every machine that runs JavaScript engines of today is little-endian.
    this.sink(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    this.wideText("EMAT");
  }
}
