import type { Values } from "../numerics/values.js";

/**
 * Numbers of a file, `count` of `size` bytes from `offset` on, little-endian as in memory: a copy, or with `isOwned` in the bytes
 * themselves. There they move down by less than their size, since an array has to begin at a multiple of it: over bytes that
 * have to be read already.
 */
export function valuesInBytes(
  bytes: Uint8Array,
  offset: number,
  count: number,
  size: number,
  isOwned: boolean,
): Values {
  const length = count * size;
  if (!isOwned) {
    // A copy begins at offset 0 of a buffer of its own, whatever kind of view `bytes` is (Node's Buffer.slice shares memory).
    const copy = new Uint8Array(bytes.subarray(offset, offset + length));
    return valuesAt(copy.buffer, 0, count, size);
  }
  const { buffer, byteOffset } = bytes;
  const to = offset - ((byteOffset + offset) % size);
  if (to !== offset) bytes.copyWithin(to, offset, offset + length);
  return valuesAt(buffer, byteOffset + to, count, size);
}

function valuesAt(buffer: ArrayBufferLike, at: number, count: number, size: number): Values {
  return size === 4 ? new Float32Array(buffer, at, count) : new Float64Array(buffer, at, count);
}
