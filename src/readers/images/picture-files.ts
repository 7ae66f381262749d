import { CntkError } from "../../diagnostics/diagnostic.js";
import { missingFileHint } from "../../files/missing-file.js";
import type { FileAccess } from "../../files/file-access.js";
import type { PictureDecoder } from "./picture.js";
import { ZipFile } from "./zip-file.js";

/**
 * Finds the bytes of pictures by the paths of a map file: `…/a.png`, `.../a.png` beside the map file, `a.zip@/b.png` inside a
 * zip file (Readers/ImageReader/ImageDataDeserializer.cpp, RegisterByteReader).
 */
export class PictureFiles {
  private readonly zips = new Map<string, ZipFile>();
  private readonly folder: string;

  constructor(
    private readonly files: FileAccess,
    private readonly decoder: Pick<PictureDecoder, "inflate">,
    mapFile: string,
  ) {
    this.folder = mapFile.replace(/[^/\\]*$/, "").replace(/[/\\]$/, "") || ".";
  }

  /** @throws CntkError `image-missing`, `image-zip`. */
  read(path: string): Uint8Array {
    const expanded = path.startsWith("...") ? this.folder + path.slice(3) : path;
    const at = expanded.indexOf("@");
    if (at > 0) {
      const inside = expanded.slice(at + 2).replace(/\\/g, "/");
      return this.zip(expanded.slice(0, at)).read(inside, this.decoder);
    }
    if (!this.files.exists(expanded) || this.files.isDirectory(expanded)) {
      const beside = `${this.folder}/${path}`;
      const hint =
        path === expanded && this.files.exists(beside)
          ? `.../${path} is a path from the folder of the map file`
          : missingFileHint(this.files, expanded);
      throw new CntkError({ code: "image-missing", message: `Cannot open file '${path}'`, hint });
    }
    return this.files.readBytes(expanded);
  }

  close(): void {
    for (const zip of this.zips.values()) zip.close();
    this.zips.clear();
  }

  private zip(path: string): ZipFile {
    const known = this.zips.get(path);
    if (known) return known;
    const zip = new ZipFile(this.files, path);
    this.zips.set(path, zip);
    return zip;
  }
}
