import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import type { FeatureSource } from "../htk/feature-deserializer.js";
import type { UtteranceKeys } from "../htk/utterance-keys.js";
import type { Utterance } from "../htk/utterances.js";
import type { ReaderSurroundings } from "../reader.js";
import { ArchiveCursor, requireFile } from "./archive-cursor.js";
import { type ArchiveMatrix, readMatrix, skipMatrix } from "./archive-matrix.js";
import { indexTable, type Place } from "./table.js";

/** Where features lie. */
export interface KaldiFeatureFiles {
  /** A list of utterances with the number of frames of each, one a line. */
  readonly countsFile: string;
  /** Names the table of their features. */
  readonly specifier: string;
}

/**
 * Features of utterances in a table of Kaldi's.
 * Source: Source/Readers/Kaldi2Reader/HTKMLFReader.cpp, htkfeatio.h.
 */
export class KaldiFeatures implements FeatureSource {
  readonly label = "Kaldi2Reader";
  readonly utterances: readonly Utterance[];
  private readonly names: readonly string[];
  private readonly places: ReadonlyMap<string, Place>;
  private readonly files: FileAccess;

  /** @throws CntkError `kaldi-file`. */
  constructor(
    { countsFile, specifier }: KaldiFeatureFiles,
    { files, log }: ReaderSurroundings,
    keys: UtteranceKeys,
  ) {
    this.files = files;
    const counts = readCounts(files, countsFile);
    log.write(`reading script file ${countsFile} ... ${counts.length} entries\n`);
    this.names = counts.map(({ name }) => name);
    this.utterances = counts.map(({ name, frames }) => ({ key: keys.of(name), frames }));
    this.places = indexTable(files, specifier, skipMatrix);
  }

  dimension(): number {
    const [first = new Float32Array()] = this.read(0, 1);
    const frames = this.utterances[0]?.frames ?? 0;
    return frames === 0 ? 0 : first.length / frames;
  }

  /** An archive that holds several utterances is opened once. */
  read(first: number, end: number): Float32Array[] {
    let cursor: ArchiveCursor | undefined;
    try {
      return this.names.slice(first, end).map((name, i) => {
        const { path, offset } = this.placeOf(name);
        if (cursor?.path !== path) {
          cursor?.close();
          cursor = undefined;
          cursor = new ArchiveCursor(this.files, path);
        }
        cursor.offset = offset;
        return checked(readMatrix(cursor), name, this.utterances[first + i]?.frames ?? 0, cursor);
      });
    } finally {
      cursor?.close();
    }
  }

  private placeOf(name: string): Place {
    const place = this.places.get(name);
    if (place !== undefined) return place;
    throw new CntkError({ code: "kaldi-file", message: `Missing features for: ${name}` });
  }
}

function checked(matrix: ArchiveMatrix, name: string, frames: number, cursor: ArchiveCursor): Float32Array {
  const { rows, columns, values } = matrix;
  if (rows === frames) return values;
  throw cursor.problem(
    `copyKaldiToCntk not same size: '${name}' is listed with ${frames} frames, its matrix has (${rows},${columns})`,
  );
}

function readCounts(files: FileAccess, path: string): { readonly name: string; readonly frames: number }[] {
  requireFile(files, path);
  const lines = files.readText(path).split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const counts = lines.map((line, i) => {
    const [, name = "", frames = ""] = /^(\S+) +(\d{1,9})\s*$/.exec(line) ?? [];
    if (Number(frames) > 0) return { name, frames: Number(frames) };
    throw new CntkError({
      code: "kaldi-file",
      message: `parsedpath: malformed path '${line.slice(0, 120)}'`,
      hint: `line ${i + 1} of ${path}: expected the key of an utterance and the number of its frames`,
    });
  });
  if (counts.length > 0) return counts;
  throw new CntkError({ code: "kaldi-file", message: `there are no utterances in '${path}'` });
}
