import { retried } from "../../diagnostics/attempts.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import type { LogSink } from "../../log/log.js";
import { newValues, type ElementType } from "../../numerics/values.js";
import type {
  Chunk,
  Corpus,
  Deserializer,
  DeserializerStream,
  SequenceKey,
  SequenceSource,
} from "../deserializer.js";
import type { ReaderSurroundings } from "../reader.js";
import type { KeyReading } from "../text-format/text-index.js";
import { type LabelledUtterance, readLabelFile, readStateList } from "./mlf-file.js";
import type { OlderSpeechLog } from "./older-log.js";
import { type UtteranceKeys, utteranceKeys } from "./utterance-keys.js";
import { onlyStream, UtteranceList } from "./utterances.js";

/** Where labels come from. */
export type LabelSource = (
  surroundings: ReaderSurroundings,
  keys: UtteranceKeys,
  olderLog?: OlderSpeechLog,
) => readonly LabelledUtterance[];

/** Where CNTK's master label files lie: named, or listed in a file, one a line. */
export type LabelFiles = { readonly list: string } | { readonly paths: readonly string[] };

/** Names of states as CNTK counts them: behind a last line break it takes the zero that ends its text for one more. */
function countedStates(states: ReadonlyMap<string, number>, text: string): number {
  return states.size + (/[\r\n]$/.test(text) ? 1 : 0);
}

/** Labels of master label files; `stateList` has the names of states, empty = classes are numbers. */
export function labelFiles(given: LabelFiles, stateList: string): LabelSource {
  return ({ files, log }, keys, olderLog) => {
    const states = stateList === "" ? undefined : readStateList(files, stateList);
    if (olderLog) {
      if (states) olderLog.statesRead(stateList, states.size);
      return olderLog.readLabels(labelPaths(files, given), (path, wants) =>
        readLabelFile(files, path, states, "older", (text) => log.write(text))(wants),
      );
    }
    if (states)
      log.write(
        `Total (${countedStates(states, files.readText(stateList))}) state names in state list '${stateList}'\n`,
      );
    const labels = labelPaths(files, given).flatMap((path) =>
      openedLabels(path, states, { files, log }, keys)(),
    );
    const frames = labels.reduce((sum, { starts }) => sum + (starts.at(-1) ?? 0), 0);
    log.write(`MLFDeserializer: '${labels.length}' utterances with '${frames}' frames\n`);
    return labels;
  };
}

/** A file is opened up to five times; those that are left out are told of each time. */
function openedLabels(
  path: string,
  states: ReadonlyMap<string, number> | undefined,
  { files, log }: Pick<ReaderSurroundings, "files" | "log">,
  keys: UtteranceKeys,
): ReturnType<typeof readLabelFile> {
  // Without a name of its own an utterance goes by the first one that there is.
  const warn = (place: string): void =>
    log.write(`WARNING: Cannot parse the utterance '${keys.first}' ${place}\n`);
  return retried(
    () => readLabelFile(files, path, states, "deserializer", warn),
    log,
    (error) => error.message,
  );
}

/** What a section says of a stream of labels. */
export interface MlfOptions {
  readonly name: string;
  /** Reads all utterances, and says in the log what it has read. */
  readonly readLabels: LabelSource;
  readonly dimension: number;
  readonly elementType: ElementType;
  readonly frameMode: boolean;
  /** The first frame of every range has the value 2. */
  readonly phoneBoundaries: boolean;
}

/**
 * Classes of frames; it never comes first among deserializers. All are held in memory, as ranges of frames.
 * Source: Source/Readers/HTKDeserializers/MLFDeserializer.cpp.
 */
export class MlfDeserializer implements Deserializer {
  readonly streams: readonly DeserializerStream[];
  readonly corpus: Corpus;
  private readonly labels: readonly LabelledUtterance[];
  private readonly list: UtteranceList;
  private readonly log: LogSink;

  /** @throws CntkError `htk-labels` in CNTK's words. */
  constructor(
    private readonly options: MlfOptions,
    surroundings: ReaderSurroundings,
    reading: KeyReading,
    olderLog?: OlderSpeechLog,
  ) {
    this.log = surroundings.log;
    const keys = utteranceKeys(reading);
    this.labels = options.readLabels(surroundings, keys, olderLog);
    const utterances = this.labels.map(({ name, starts }) => ({
      key: keys.of(name),
      frames: starts.at(-1) ?? 0,
    }));
    olderLog?.limitClasses(options.dimension);
    this.list = new UtteranceList(utterances, [0, utterances.length], options.frameMode, keys);
    this.corpus = this.list.corpus;
    this.streams = onlyStream(options, "sparse");
  }

  async chunk(): Promise<Chunk> {
    const source: Chunk["source"] = (_, sequence) => {
      const { utterance, frame } = this.list.place(sequence);
      const labels = this.labels[utterance];
      if (labels && frame < 0) this.checkClasses(labels);
      return this.sample(labels, frame);
    };
    if (this.options.frameMode) this.labels.forEach((utterance) => this.checkClasses(utterance));
    if (this.labels.every(({ problem }) => problem === undefined)) return { source };
    return {
      source,
      ready: (sequence) => {
        const { problem } = this.labels[this.list.place(sequence).utterance] ?? {};
        if (problem !== undefined) this.log.write(`WARNING: ${problem}\n`);
        return Promise.resolve(problem === undefined ? { source } : undefined);
      },
    };
  }

  key(sequence: number): SequenceKey {
    return this.list.key(sequence);
  }

  find(key: SequenceKey): number | undefined {
    return this.list.find(key);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private checkClasses({ name, classes }: LabelledUtterance): void {
    const { dimension } = this.options;
    const wrong = classes.find((label) => label >= dimension);
    if (wrong === undefined) return;
    throw new CntkError({
      code: "htk-labels",
      message: `Class id '${wrong}' exceeds the model output dimension '${dimension}'.`,
      hint: `in the utterance '${name}'`,
    });
  }

  private sample(labels: LabelledUtterance | undefined, only: number): SequenceSource {
    const { starts = [0], classes = [] } = labels ?? {};
    const { elementType, phoneBoundaries } = this.options;
    const first = Math.max(only, 0);
    const end = only < 0 ? (starts.at(-1) ?? 0) : only + 1;
    const count = end - first;
    const rows = new Int32Array(count);
    const values = newValues(elementType, count).fill(1);
    classes.forEach((label, i) => {
      const from = starts[i] ?? 0;
      rows.fill(label, Math.max(from - first, 0), Math.max((starts[i + 1] ?? 0) - first, 0));
      if (phoneBoundaries && from >= first && from < end) values[from - first] = 2;
    });
    const sampleStarts = Int32Array.from({ length: count + 1 }, (_, i) => i);
    return {
      block: { storage: "sparse", values, rows, sampleStarts, sequenceStarts: Int32Array.of(0, count) },
      index: 0,
    };
  }
}

function labelPaths(files: FileAccess, given: LabelFiles): readonly string[] {
  if ("paths" in given) return given.paths;
  if (!files.exists(given.list)) {
    const message = `error opening file '${given.list}': No such file or directory`;
    throw new CntkError({ code: "htk-labels", message });
  }
  return files
    .readText(given.list)
    .split(/\r?\n/)
    .filter((line) => line !== "");
}
