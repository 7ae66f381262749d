import { CntkError } from "../diagnostics/diagnostic.js";
import { writeWhole } from "../files/file-access.js";
import type { Conversion, Converted } from "./conversion.js";

/** Bytes of an idx file: the first axis counts samples. */
interface IdxBytes {
  readonly count: number;
  /** Bytes of a sample. */
  readonly size: number;
  readonly data: Uint8Array;
}

/**
 * Writes bytes of an idx file (MNIST's form) in CNTK's text format as `|features`, with one-hot `|labels` of another one.
 * @throws CntkError `convert-data`.
 * Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database, "File formats".
 */
export function idxToText(
  { files, source, target, onProgress }: Conversion,
  options: { readonly labels?: string | undefined; readonly classes: number },
): Converted {
  const features = readIdx(files.readBytes(source), source);
  const labels =
    options.labels === undefined ? undefined : readIdx(files.readBytes(options.labels), options.labels);
  if (labels && (labels.count !== features.count || labels.size !== 1)) {
    throw broken(
      options.labels ?? "",
      `holds ${labels.count} labels of ${labels.size} bytes for ${features.count} samples`,
    );
  }
  const oneHot = Array.from({ length: options.classes }, (_, label) =>
    Array.from({ length: options.classes }, (_, i) => (i === label ? "1" : "0")).join(" "),
  );
  writeWhole(files, target, (file) => {
    for (let i = 0; i < features.count; i++) {
      let line = "";
      if (labels) {
        const label = labels.data[i] ?? 0;
        const text = oneHot[label];
        if (text === undefined)
          throw broken(options.labels ?? "", `holds the label ${label}, beyond ${options.classes} classes`);
        line = `|labels ${text} `;
      }
      file.write(
        `${line}|features ${features.data.subarray(i * features.size, (i + 1) * features.size).join(" ")}\n`,
      );
      if (i % 1000 === 0) onProgress?.(i / features.count);
    }
  });
  onProgress?.(1);
  return { path: files.resolve(target), sequences: features.count };
}

/** Two zeros, the type of the numbers (8 = bytes), the number of axes, each axis' size, then the numbers. */
function readIdx(bytes: Uint8Array, name: string): IdxBytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const axes = bytes[3] ?? 0;
  const header = 4 + 4 * axes;
  if (bytes.length < header || view.getUint16(0) !== 0 || bytes[2] !== 8 || axes === 0) {
    throw broken(name, "is no idx file of bytes");
  }
  const sizes = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const [count = 0, ...others] = sizes;
  const size = others.reduce((product, own) => product * own, 1);
  if (bytes.length !== header + count * size) {
    throw broken(name, `has ${bytes.length} bytes where ${header + count * size} belong`);
  }
  return { count, size, data: bytes.subarray(header) };
}

function broken(name: string, what: string): CntkError {
  return new CntkError({ code: "convert-data", message: `The file '${name}' ${what}.` });
}
