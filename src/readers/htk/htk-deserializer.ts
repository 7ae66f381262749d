import { attempted } from "../../diagnostics/attempts.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { formatFixed } from "../../numerics/number-format.js";
import type { Deserializer, SequenceKey } from "../deserializer.js";
import type { ReaderSurroundings } from "../reader.js";
import type { KeyReading } from "../text-format/text-index.js";
import { FeatureDeserializer, type FeatureOptions, type FeatureSource } from "./feature-deserializer.js";
import { type FeatureKind, HtkFile } from "./htk-file.js";
import { readScriptFile, type ScriptEntry } from "./scp-file.js";
import type { OlderSpeechLog } from "./older-log.js";
import { utteranceKeys } from "./utterance-keys.js";
import type { Utterance } from "./utterances.js";

/** What a section says of a stream of features in HTK's files. */
export interface HtkOptions extends FeatureOptions {
  readonly scriptFile: string;
  /** Before every path of the script, with its slash; empty = none. */
  readonly root: string;
  /** Lines of the script may be files without a range. */
  readonly wholeFiles: boolean;
  /** Minibatches are read on a thread of their own. */
  readonly readsAhead: boolean;
}

/**
 * Features of utterances, in HTK's files, that a script file lists.
 * @throws CntkError `htk-script`, `htk-file` in CNTK's words.
 * Source: Source/Readers/HTKDeserializers/HTKDeserializer.cpp.
 */
export function htkDeserializer(
  options: HtkOptions,
  surroundings: ReaderSurroundings,
  keys: KeyReading,
  /** The older reader's; without it the log speaks as CNTK's deserializers do. */
  olderLog?: OlderSpeechLog,
): Deserializer {
  const features = new HtkFeatures(options, surroundings, keys, olderLog);
  return new FeatureDeserializer(options, features, keys, surroundings.log);
}

/** The files that a script lists. */
class HtkFeatures implements FeatureSource {
  readonly label = "HTKDeserializer";
  readonly tellsItself: boolean;
  readonly isMeasuredLater: boolean;
  readonly utterances: readonly Utterance[];
  readonly listed: { readonly utterances: number; readonly frames: number };
  private readonly entries: readonly ScriptEntry[];
  private first: FeatureKind | undefined;

  constructor(
    private readonly options: Pick<HtkOptions, "scriptFile" | "root" | "wholeFiles" | "readsAhead">,
    private readonly surroundings: ReaderSurroundings,
    reading: KeyReading,
    private readonly olderLog?: OlderSpeechLog,
  ) {
    this.tellsItself = olderLog !== undefined;
    this.isMeasuredLater = olderLog !== undefined && !olderLog.readsAllAtOnce;
    const { files, log } = surroundings;
    const keys = utteranceKeys(reading);
    if (olderLog) olderLog.scriptBegins(options.scriptFile);
    else log.write(`Reading script file ${options.scriptFile} ...`);
    const listed = readScriptFile(files, options.scriptFile, options.root, options.wholeFiles).map((entry) =>
      entry.lastFrame < 0 ? this.measured(entry) : entry,
    );
    const all = listed.map((entry) => ({ entry, key: keys.of(entry.key) }));
    this.listed = {
      utterances: new Set(all.map(({ key }) => key)).size,
      frames: listed.reduce((sum, entry) => sum + frameCount(entry), 0),
    };
    if (olderLog) {
      olderLog.scriptRead(
        listed.map((entry) => ({ name: entry.key, path: entry.name, frames: frameCount(entry) })),
      );
    } else log.write(` ${this.listed.utterances} entries\n`);
    // The older reader takes an utterance as often as it is listed.
    const kept = olderLog ? all : withoutDuplicates(all, (text) => log.write(text));
    this.entries = kept.map(({ entry }) => entry);
    this.utterances = kept.map(({ entry, key }) => ({
      key,
      frames: frameCount(entry),
    }));
  }

  read(first: number, end: number): Float32Array[] {
    return attempted(() => this.readOnce(first, end));
  }

  /** The frames of utterances; a file that holds several is opened once. */
  private readOnce(first: number, end: number): Float32Array[] {
    let open: { readonly path: string; readonly file: HtkFile } | undefined;
    try {
      return this.entries.slice(first, end).map((entry) => {
        if (open?.path !== entry.path) {
          open?.file.close();
          open = undefined;
          open = { path: entry.path, file: this.openFile(entry) };
        }
        return this.within(
          entry,
          () => open?.file.read(entry.firstFrame, entry.lastFrame) ?? new Float32Array(),
        );
      });
    } finally {
      open?.file.close();
    }
  }

  private openFile(entry: ScriptEntry): HtkFile {
    const name = this.olderLog ? entry.name : entry.path;
    const shortRead = this.readsAhead ? "Success" : "No such file or directory";
    const own = this.kind;
    const file = this.within(
      entry,
      () => new HtkFile(this.surroundings.files, entry.path, { name, shortRead }),
    );
    const { kind, dimension, period } = file.kind;
    if (kind === own.kind && dimension === own.dimension && period === own.period) return file;
    file.close();
    throw new CntkError({
      code: "htk-file",
      message: `setkind: inconsistent feature kind for file '${name}'`,
      hint: `it has ${dimension} numbers of ${kind}, the first file ${own.dimension} of ${own.kind}; line ${entry.line} of ${this.options.scriptFile}`,
    });
  }

  private get readsAhead(): boolean {
    return this.options.readsAhead && !this.olderLog;
  }

  /** A whole file: how many frames it has stands in it. */
  private measured(entry: ScriptEntry): ScriptEntry {
    return this.within(entry, () => {
      const file = new HtkFile(this.surroundings.files, entry.path);
      file.close();
      if (file.frames > 0) return { ...entry, lastFrame: file.frames - 1 };
      throw new CntkError({ code: "htk-file", message: `the file '${entry.path}' holds no frames` });
    });
  }

  dimension(): number {
    return this.kind.dimension;
  }

  /** What the first file holds, and all others must. */
  private get kind(): FeatureKind {
    this.first ??= this.firstKind();
    return this.first;
  }

  private firstKind(): FeatureKind {
    const [entry] = this.entries;
    if (!entry) throw new Error("there are no utterances");
    const name = this.olderLog ? entry.name : entry.path;
    const file = attempted(() =>
      this.within(entry, () => {
        const opened = new HtkFile(this.surroundings.files, entry.path, {
          name,
          shortRead: "No such file or directory",
        });
        opened.requireFrames(entry.lastFrame);
        return opened;
      }),
    );
    const { kind, dimension, period } = file.kind;
    file.close();
    // The older reader tells of it when it reads chunks, not of files that it hands over one by one.
    if (this.olderLog) {
      if (!this.options.wholeFiles) this.olderLog.kindFound(dimension, kind, period);
    } else {
      this.surroundings.log.write(
        `HTKDeserializer: determined feature kind as '${dimension}'-dimensional '${kind}' with frame shift ${formatFixed(period / 1e4, 1)} ms\n`,
      );
    }
    return file.kind;
  }

  /** Adds to an error the line of the script that led to it. */
  private within<T>(entry: ScriptEntry, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof CntkError)) throw error;
      const line = `line ${entry.line} of ${this.options.scriptFile}`;
      const { hint } = error.diagnostic;
      throw new CntkError({ ...error.diagnostic, hint: hint === undefined ? line : `${hint}; ${line}` });
    }
  }
}

function frameCount({ firstFrame, lastFrame }: ScriptEntry): number {
  return lastFrame + 1 - firstFrame;
}

/** Of a key that occurs more than once nothing is kept. */
function withoutDuplicates<T extends { readonly key: SequenceKey }>(
  all: readonly T[],
  warn: (text: string) => void,
): readonly T[] {
  const counts = new Map<SequenceKey, number>();
  for (const { key } of all) counts.set(key, (counts.get(key) ?? 0) + 1);
  const kept = all.filter(({ key }) => counts.get(key) === 1);
  const dropped = all.length - kept.length;
  if (dropped > 0) {
    warn(
      `WARNING: Number of duplicates is '${dropped}'. All duplicates will be dropped. Consider switching to numeric sequence ids.\n`,
    );
  }
  return kept;
}
