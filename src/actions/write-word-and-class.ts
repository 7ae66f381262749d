import { once } from "../diagnostics/attempts.js";
import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { type FileAccess, writeWhole } from "../files/file-access.js";
import type { LogSink } from "../log/log.js";
import { compareNames } from "../network/node-order.js";
import { formatGeneral } from "../numerics/number-format.js";
import type { Action } from "./action.js";
import { type CountedWord, countWords, formClasses } from "./word-classes/form-classes.js";

/** What the action is asked for. */
interface WordClassOptions {
  readonly inputFile: string;
  readonly vocabularySize: number;
  /** 0 = no classes: all words, by letter. */
  readonly classCount: number;
  /** Words up to this count do not count for the size of the vocabulary. */
  readonly cutoff: number;
  readonly mappingFile: string;
  readonly vocabularyFile: string;
  readonly wordToClassFile: string;
  readonly classToIndexFile: string;
  readonly unknownWord: string;
  readonly beginSequence: string;
  readonly endSequence: string;
  readonly makeMode: boolean;
}

/**
 * Action `writeWordAndClass`: the vocabulary of a text, its words in classes, as language models want them
 * (ActionsLib/OtherActions.cpp, DoWriteWordAndClassInfo).
 */
export const writeWordAndClassAction: Action = {
  run({ files, log }, { section }) {
    writeWordsAndClasses(readOptions(section), files, log);
    return Promise.resolve({});
  },
  check(_, { section }) {
    readOptions(section);
    return Promise.resolve();
  },
};

function readOptions(section: ConfigSection): WordClassOptions {
  const vocabularySize = section.size("vocabSize");
  const classCount = section.integer("nbrClass", 0);
  const cutoff = section.integer("cutoff", 1);
  const inputFile = section.string("inputFile");
  const mappingFile = section.string("outputMappingFile", "");
  const vocabularyFile = section.string("outputVocabFile");
  const options = {
    inputFile,
    vocabularySize,
    classCount,
    cutoff,
    mappingFile,
    vocabularyFile,
    wordToClassFile: classCount > 0 ? section.string("outputWord2Cls") : "",
    classToIndexFile: classCount > 0 ? section.string("outputCls2Index") : "",
    unknownWord: section.string("unk", "<unk>"),
    beginSequence: section.string("beginSequence", ""),
    endSequence: section.string("endSequence", ""),
    makeMode: section.boolean("makeMode", true),
  };
  if (options.beginSequence === "" || options.endSequence === "") {
    throw new CntkError({
      code: "word-classes",
      message: "Please specify parameters 'beginSequence' and 'endSequence'.",
      span: section.span,
    });
  }
  return options;
}

function writeWordsAndClasses(options: WordClassOptions, files: FileAccess, log: LogSink): void {
  const { classCount, inputFile, mappingFile, vocabularyFile, wordToClassFile, classToIndexFile } = options;
  if (mappingFile) log.write(`Mapping file       --> ${mappingFile}\n`);
  log.write(`Vocabulary file    --> ${vocabularyFile}\n`);
  if (classCount > 0) {
    log.write(`Word-to-class map  --> ${wordToClassFile}\n`);
    log.write(`Class-to-index map --> ${classToIndexFile}\n`);
  }
  log.write("\n");
  const outputs = classCount > 0 ? [vocabularyFile, wordToClassFile, classToIndexFile] : [vocabularyFile];
  if (options.makeMode && outputs.every((output) => isUpToDate(files, output, inputFile))) {
    log.write("All output files up to date.\n");
    return;
  }
  if (!files.exists(inputFile)) {
    throw new CntkError({ code: "file-missing", message: `Failed to open input file: ${inputFile}` });
  }
  log.write(`Reading input file inputFile: ${inputFile}\n`);
  const counts = countWords(files.readText(inputFile), options.beginSequence, options.endSequence);
  log.write(`Vocabulary size ${counts.size}.\n`);
  const size = usableSize(options, counts, log);
  const words =
    classCount > 0
      ? formClasses(counts, size, classCount, options.unknownWord)
      : [...counts]
          .map(([word, count]): CountedWord => ({ word, count, wordClass: 0 }))
          .sort((a, b) => compareNames(a.word, b.word));
  const write = (path: string, lines: readonly string[]): void =>
    once(() => writeWhole(files, path, (file) => file.write(lines.map((line) => `${line}\n`).join(""))));
  if (mappingFile) {
    write(
      mappingFile,
      words.map(({ word }) => word),
    );
    log.write(`Created label-mapping file with ${counts.size} entries.\n`);
  }
  write(
    vocabularyFile,
    words.map(
      ({ word, count, wordClass }, number) =>
        `     ${number}\t     ${formatGeneral(count, 6)}\t${word}\t${wordClass}`,
    ),
  );
  log.write(`Created vocabulary file with ${counts.size} entries.\n`);
  if (classCount <= 0) return;
  write(
    wordToClassFile,
    Array.from({ length: size }, (_, number) => String(words[number]?.wordClass ?? 0)),
  );
  log.write(`Created word-to-class map with ${size} entries.\n`);
  write(
    classToIndexFile,
    Array.from({ length: classCount }, (_, wanted) =>
      String(
        Math.max(
          0,
          words.findIndex(({ wordClass }) => wordClass === wanted),
        ),
      ),
    ),
  );
  log.write(`Created class-to-index map with ${classCount} entries.\n`);
}

/** Not older than the input; what is there counts where the input is not (Common/fileutil.cpp, fuptodate). */
function isUpToDate(files: FileAccess, output: string, input: string): boolean {
  const written = files.modified(output);
  const given = files.modified(input);
  return (
    written !== undefined && (given === undefined || Math.floor(written / 1000) >= Math.floor(given / 1000))
  );
}

/** The size of the vocabulary that is asked for, or what there is. */
function usableSize(
  { cutoff, vocabularySize }: WordClassOptions,
  counts: ReadonlyMap<string, number>,
  log: LogSink,
): number {
  const frequent = [...counts.values()].filter((count) => cutoff <= 0 || count > cutoff).length;
  if (frequent === 0) {
    throw new CntkError({
      code: "word-classes",
      message: `No word remained after cutoff with threshold ${cutoff}.`,
      hint: "a smaller cutoff keeps rarer words",
    });
  }
  if (vocabularySize <= frequent) return vocabularySize;
  log.write("Warning: actual vocabulary size is less than required.\n");
  log.write(`\t\tRequired vocabulary size:${vocabularySize}\n`);
  log.write(`\t\tActual vocabulary size:${counts.size}\n`);
  log.write(`\t\tActual vocabulary size after cutoff:${frequent}\n`);
  log.write(`\t\tWe will change to actual vocabulary size: ${frequent}\n`);
  return frequent;
}
