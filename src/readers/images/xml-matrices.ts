import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";

/** A matrix out of a file of OpenCV's, row after row. */
export interface StoredMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/**
 * The numbers and matrices at the top of an XML file of OpenCV's FileStorage, by their names.
 * @throws CntkError `image-mean` where the file is missing or is no such file.
 */
export class XmlMatrices {
  private readonly text: string;

  constructor(
    files: FileAccess,
    private readonly path: string,
  ) {
    if (!files.exists(path)) throw this.problem(`Could not open file: ${path}`);
    this.text = files.readText(path);
    if (!this.text.includes("<opencv_storage>")) throw this.invalid("there is no <opencv_storage>");
  }

  number(name: string): number {
    const value = Number((this.element(name, this.text) ?? "").trim());
    if (!Number.isInteger(value) || value < 0) throw this.invalid(`<${name}> is no whole number`);
    return value;
  }

  matrix(name: string): StoredMatrix {
    const body = this.element(name, this.text);
    if (body === undefined) throw this.invalid(`there is no <${name}>`);
    const rows = Number(this.element("rows", body));
    const columns = Number(this.element("cols", body));
    const type = (this.element("dt", body) ?? "").trim().replace(/"/g, "");
    const channels = Number(/^(\d*)[a-z]$/.exec(type)?.[1] || 1);
    const words = (this.element("data", body) ?? "").trim().split(/\s+/);
    const values = Float64Array.from(words, Number);
    const count = rows * columns * channels;
    if (!(count > 0) || values.length !== count || values.some((value) => Number.isNaN(value))) {
      throw this.invalid(`<${name}> does not hold the numbers that its size promises`);
    }
    return { rows, columns: columns * channels, values };
  }

  invalid(why: string): CntkError {
    return this.problem(`Invalid data in file: ${this.path}`, why);
  }

  private problem(message: string, hint?: string): CntkError {
    return new CntkError({ code: "image-mean", message, hint });
  }

  private element(name: string, text: string): string | undefined {
    const begin = new RegExp(`<${name}(?:\\s[^>]*)?>`).exec(text);
    if (!begin) return undefined;
    const from = begin.index + begin[0].length;
    const end = text.indexOf(`</${name}>`, from);
    return end < 0 ? undefined : text.slice(from, end);
  }
}
