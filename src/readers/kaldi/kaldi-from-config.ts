import type { ConfigSection } from "../../config/config-section.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import { FeatureDeserializer } from "../htk/feature-deserializer.js";
import { readSpeechReader, type SpeechFiles, type SpeechReaderOptions } from "../htk/htk-from-config.js";
import type { LabelSource } from "../htk/mlf-deserializer.js";
import { readStateList } from "../htk/mlf-file.js";
import { utteranceKeys } from "../htk/utterance-keys.js";
import { requireFile } from "./archive-cursor.js";
import { KaldiFeatures } from "./kaldi-features.js";
import { readClasses } from "./posteriors.js";
import { readTable } from "./table.js";

/**
 * Reads the section of a Kaldi2Reader. Features: `scpFile` lists utterances and their lengths, `rx` is a file that names a table
 * of matrices. Labels: `mlfFile` is a file that names a table of posteriors.
 * @throws CntkError `htk-option` in CNTK's words, `not-available` for training by sequences and transforms.
 * Source: Source/Readers/Kaldi2Reader/HTKMLFReader.cpp.
 */
export function readKaldiReader(section: ConfigSection): SpeechReaderOptions {
  refuse(section, ["seqTrainCriterion", "denlats", "alignments"], "training by sequences");
  const delay = section.integer("targets_delay", 0);
  return readSpeechReader(section, kaldiFiles(delay));
}

function kaldiFiles(delay: number): SpeechFiles {
  return {
    features(section, options) {
      const transform = section.string("featureTransform", "");
      if (transform !== "" && transform !== "NO_FEATURE_TRANSFORM") {
        refuse(section, ["featureTransform"], "a network of Kaldi's as transform of features");
      }
      const countsFile = section.string("scpFile");
      const rx = section.string("rx");
      return (surroundings, keys) => {
        const places = { countsFile, specifier: specifierIn(surroundings.files, rx, "rx") };
        const features = new KaldiFeatures(places, surroundings, utteranceKeys(keys));
        return new FeatureDeserializer(options, features, keys, surroundings.log);
      };
    },
    labels(section) {
      refuse(section, ["labelToTargetMappingFile"], "a mapping of labels to targets");
      return posteriorLabels(section.string("mlfFile"), section.string("labelMappingFile", ""), delay);
    },
  };
}

/** Labels of a table of posteriors, `delay` frames later than they stand there; `stateList` names the classes in order. */
function posteriorLabels(path: string, stateList: string, delay: number): LabelSource {
  return ({ files, log }) => {
    const states = stateList === "" ? undefined : readStateList(files, stateList);
    if (states) log.write(`total ${states.size} state names in state list ${stateList}\n`);
    const labels = readTable(files, specifierIn(files, path, "mlfFile"), (cursor) => {
      const { offset } = cursor;
      const found = readClasses(cursor);
      return found.map((_, frame) => {
        const label = found[frame - delay >= 0 ? frame - delay : 0] ?? 0;
        const state = states ? states.get(String(label)) : label;
        if (state !== undefined) return state;
        throw cursor.problem(`kaldi htkmlfentry: state ${label} not found in statelist`, offset);
      });
    });
    log.write(`htkmlfreader: reading MLF file ${path} ... total ${labels.size} entries\n`);
    return Array.from(labels, ([name, classes]) => ({
      name,
      starts: Array.from({ length: classes.length + 1 }, (_, frame) => frame),
      classes,
    }));
  };
}

/** The specifier in a file. */
function specifierIn(files: FileAccess, path: string, key: string): string {
  requireFile(files, path, `${key} names a file that holds a specifier of Kaldi's, as ark:feats.ark`);
  return files.readText(path).trim();
}

function refuse(section: ConfigSection, keys: readonly string[], what: string): void {
  for (const key of keys) {
    if (!section.hasOwn(key)) continue;
    throw new CntkError({
      code: "not-available",
      message: `${key} (${what}) is not available yet`,
      span: section.keySpan(key),
    });
  }
}
