import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { Canvas, lineHeight, textWidth } from "../../src/actions/pictures/canvas.js";
import { letterHeight, letterOf, letterWidth } from "../../src/actions/pictures/letters.js";
import { heightOf, paintTile, tileLayout, widthOf } from "../../src/actions/pictures/tiles.js";
import { visualize } from "../../src/index.js";
import { writeModel } from "../../src/model-files/index.js";
import { modelOf } from "../exporters/exported-networks.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const folder = temporaryFolder();

/** The brightness of a pixel's channels. */
const pixel = (canvas: Canvas, x: number, y: number): number[] => [
  ...canvas.pixels.subarray(3 * (y * canvas.width + x), 3 * (y * canvas.width + x) + 3),
];

describe("tiles", () => {
  it("show the first axis across and the second one downwards, from black to white", () => {
    const layout = tileLayout([2, 3], false);
    expect(layout).toMatchObject({ width: 2, height: 3, maps: 1, scale: 37 });
    const canvas = new Canvas(widthOf(layout), heightOf(layout));
    paintTile(canvas, layout, Float64Array.of(0, 1, 2, 3, 4, 5), 0, 0);
    expect([0, 1].map((x) => [0, 1, 2].map((y) => pixel(canvas, 37 * x, 37 * y)[0]))).toEqual([
      [0, 102, 204],
      [51, 153, 255],
    ]);
  });

  it("put maps side by side, in rows nearly as long as there are rows", () => {
    const layout = tileLayout([1, 1, 5], false);
    expect(layout).toMatchObject({ maps: 5, columns: 3 });
    const canvas = new Canvas(widthOf(layout), heightOf(layout));
    paintTile(canvas, layout, Float64Array.of(0, 51, 102, 153, 255), 0, 0);
    const step = layout.scale + 2;
    expect([0, 1, 2].map((column) => pixel(canvas, column * step, 0)[0])).toEqual([0, 51, 102]);
    // Where there is no sixth map it stays white.
    expect([0, 1, 2].map((column) => pixel(canvas, column * step, step)[0])).toEqual([153, 255, 255]);
  });

  it("of an input of three channels are in colour, of other nodes maps", () => {
    const layout = tileLayout([1, 1, 3], true);
    const canvas = new Canvas(widthOf(layout), heightOf(layout));
    paintTile(canvas, layout, Float64Array.of(0, 51, 255), 0, 0);
    expect(pixel(canvas, 0, 0)).toEqual([0, 51, 255]);
    expect(tileLayout([1, 1, 3], false)).toMatchObject({ maps: 3, isColour: false });
  });

  it("of vectors are squares, rows, or rows that are cut", () => {
    expect(tileLayout([784], true)).toMatchObject({ width: 28, height: 28 });
    expect(tileLayout([10], false)).toMatchObject({ width: 10, height: 1 });
    expect(tileLayout([300], false)).toMatchObject({ width: 18, height: 17 });
  });
});

describe("letters", () => {
  it("are there for all of ASCII, each its own", () => {
    const drawn = Array.from({ length: 94 }, (_, index) => letterOf(String.fromCharCode(33 + index)));
    for (const letter of drawn) {
      expect(letter).toHaveLength(letterHeight);
      expect(letter.every((row) => /^[.#]{5}$/.test(row) && row.length === letterWidth)).toBe(true);
      expect(letter.join("")).toContain("#");
    }
    expect(new Set(drawn.map((letter) => letter.join("\n"))).size).toBe(94);
    expect(letterOf("ü")).toBe(letterOf("?"));
  });

  it("stand where they are written", () => {
    const canvas = new Canvas(textWidth("I I"), lineHeight);
    canvas.write("I I", 0, 0);
    const dark = (x: number): boolean => pixel(canvas, x, 6)[0] === 0;
    // The stem of an I is its third column; letters are six columns apart, two pixels each.
    expect(Array.from({ length: canvas.width }, (_, x) => x).filter(dark)).toEqual([4, 5, 28, 29]);
  });
});

describe("visualize", () => {
  const save = (name: string, members: string): string => {
    const path = join(folder, name);
    writeFileSync(path, writeModel(modelOf(members).model));
    return path;
  };
  const data = join(folder, "data.txt");
  writeFileSync(data, "|x 0 1 2 3 |y 1\n|x 3 2 1 0 |y 2\n|x 0 0 1 1 |y 3\n");
  const one = save(
    "one.model",
    `x = Input {(2:2)} ; a = x .* Constant (2) ; z = a + Constant (1) ; outputNodes = (z)`,
  );
  const two = save("two.dnn", `x = Input {(2:2)} ; y = Input {1} ; b = x .* y ; outputNodes = (b)`);
  const wholes = (text: string): string => text.replaceAll(".000000", "");
  const drawn = async (models: string | string[], options: object) => {
    const { picture, text } = await visualize(models, { data, out: join(folder, "pictures"), ...options });
    return {
      picture,
      text,
      values: wholes(readFileSync(text, "utf8")),
      png: PNG.sync.read(readFileSync(picture)),
    };
  };

  it("shows the input and the outputs of a model, where nothing else is asked for", async () => {
    const { picture, values, png } = await drawn(one, { count: 2 });
    expect(picture).toBe(join(folder, "pictures", "one.png"));
    expect(values).toBe(
      "# sample 0, x [2 x 2]\n0 1\n2 3\n# sample 0, z [2 x 2]\n1 3\n5 7\n" +
        "# sample 1, x [2 x 2]\n3 2\n1 0\n# sample 1, z [2 x 2]\n7 5\n3 1\n",
    );
    // Two columns of 112 pixels, two rows of them under three lines of text.
    expect([png.width, png.height]).toEqual([2 * 8 + 2 * 112 + 8, 8 + 3 * lineHeight + 4 + 2 * 120]);
  });

  it("shows of several models the nodes that each has, and their common input once", async () => {
    const { picture, values } = await drawn([one, two], { count: 1, nodes: ["a", "b"] });
    expect(picture).toBe(join(folder, "pictures", "models.png"));
    expect(values).toBe(
      "# sample 0, x [2 x 2]\n0 1\n2 3\n# sample 0, one a [2 x 2]\n0 2\n4 6\n# sample 0, two b [2 x 2]\n0 1\n2 3\n",
    );
  });

  it("draws encoding and decoding before other nodes, under the path that is given", async () => {
    const out = join(folder, "other.png");
    const { picture, values } = await drawn(one, { count: 1, encoder: "a", decoder: "z", out });
    expect(picture).toBe(out);
    expect(values).toContain("# sample 0, a [2 x 2]\n0 2\n4 6\n# sample 0, z [2 x 2]\n");
  });

  it("draws another input, and what is the same for all samples once", async () => {
    const path = save(
      "w.model",
      `x = Input {(2:2)} ; y = Input {1} ; W = ParameterTensor {(2:2), init = "fixedValue", value = 3}
      z = x .* y + W ; outputNodes = (z)`,
    );
    const { values } = await drawn(path, { count: 3, nodes: ["z", "W"], input: "y" });
    expect(values.match(/, y \[1\]\n. *\n/g)).toEqual([", y [1]\n1\n", ", y [1]\n2\n", ", y [1]\n3\n"]);
    expect(values.match(/W \[2 x 2\]\n3 3\n3 3\n/g)).toHaveLength(1);
  });

  it.each([
    [{ nodes: ["c"] }, "node-unknown", "The model has no node named 'c'."],
    [{ nodes: ["b"] }, "nothing-to-draw", "The model 'one' has none of the nodes b."],
  ])("%j is refused, and nothing is written", async (options, code, message) => {
    const out = join(folder, "nothing.png");
    await expect(visualize([one, two], { data, out, ...options })).rejects.toMatchObject({ code, message });
    expect(existsSync(out)).toBe(false);
  });
});
