import { CntkError } from "../diagnostics/diagnostic.js";
import { writeWhole } from "../files/file-access.js";
import type { Conversion, Converted } from "./conversion.js";

const pictures = /\.(jpe?g|png)$/i;

/**
 * Writes the map file of a folder of pictures that has a folder for each class, which count in the order of their names;
 * paths are absolute. Beside it stands a list of the classes, one a line, the same name with `.classes`.
 * @throws CntkError `convert-data` where there are no pictures.
 */
export function imagesToMap({ files, source, target, onProgress }: Conversion): Converted {
  const list = files.list?.bind(files);
  if (!list) throw new Error("these files cannot be listed");
  if (!files.isDirectory(source)) {
    throw new CntkError({ code: "convert-data", message: `There is no folder '${source}'.` });
  }
  const root = files.resolve(source);
  const classes = list(source)
    .filter((name) => files.isDirectory(`${root}/${name}`))
    .sort();
  const lines = classes.flatMap((name, label) => {
    onProgress?.(label / classes.length);
    return list(`${root}/${name}`)
      .filter((file) => pictures.test(file))
      .sort()
      .map((file) => `${root}/${name}/${file}\t${label}\n`);
  });
  if (lines.length === 0) {
    throw new CntkError({
      code: "convert-data",
      message: `There are no pictures (.jpg, .jpeg, .png) in the folders of '${source}'.`,
      hint: "it needs a folder for each class, with the pictures of the class in it",
    });
  }
  writeWhole(files, target, (file) => lines.forEach((line) => void file.write(line)));
  writeWhole(files, `${target}.classes`, (file) => file.write(classes.map((name) => `${name}\n`).join("")));
  onProgress?.(1);
  return { path: files.resolve(target), sequences: lines.length };
}
