import type { ConfigSection } from "../config/config-section.js";
import type { Configuration } from "../config/read-configuration.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { FileAccess } from "../files/file-access.js";
import type { ElementType } from "../numerics/values.js";
import { readConfiguration } from "../pipeline.js";
import { type Reader, readerFromConfig, type ReaderSurroundings } from "../readers/index.js";
import { type ReadCommand, readCommands } from "./commands.js";
import { filesBelow } from "./files-below.js";

/** A model that a configuration trained, or that lies where somebody worked, and the data that belongs to it. */
export interface TrainedModel {
  readonly model: string;
  /** What chose the model, for who reads along. */
  readonly chosenBy: string;
  /** Absent where no configuration tells. */
  readonly data?: TestData;
}

export interface TestData {
  readonly configuration: Configuration;
  /** What the configuration was read from, for who reads along. */
  readonly from: string;
  /** The command whose data it is. */
  readonly command: string;
  readonly reader: ConfigSection;
}

/**
 * The model that a configuration trains, and the data of its test command.
 * @throws CntkError for what is wrong with the configuration, `no-model` where none of its commands has a model
 */
export function modelOfConfiguration(words: readonly string[], files: FileAccess): TrainedModel {
  const { result, diagnostics } = readConfiguration(words, files);
  const [problem, ...others] = diagnostics;
  if (problem) throw CntkError.ofAll([problem, ...others]);
  const commands = commandsOf(result.root);
  const withModel = commands.filter(({ section }) => section.has("modelPath"));
  const chosen = withModel.find(({ actions }) => actions.includes("train")) ?? withModel[0];
  if (!chosen) {
    throw new CntkError({
      code: "no-model",
      message: "No command of the configuration has a model (modelPath).",
      hint: "--model FILE names one",
    });
  }
  const from = words
    .filter((word) => /^configfile=/i.test(word))
    .map((word) => word.slice("configFile=".length));
  const data = testData(result, commands, from.join("+"));
  return {
    model: result.assembled.files.resolve(chosen.section.string("modelPath")),
    chosenBy: `modelPath of the command '${chosen.name}'`,
    ...(data && { data }),
  };
}

/** Opens the data, in its own order unless the configuration says otherwise, for a model of that precision. */
export function testReader(
  { configuration, reader }: TestData,
  elementType: ElementType,
  surroundings: Omit<ReaderSurroundings, "files">,
): Promise<Reader> {
  reader.setDefault("randomize", "None");
  reader.inject("precision", elementType);
  return readerFromConfig(reader, { ...surroundings, elementType, files: configuration.assembled.files });
}

/** All sections that are commands, those that run first. */
function commandsOf(root: ConfigSection): ReadCommand[] {
  const listed = root.array("command", ["train"]).filter((name) => root.has(name));
  return readCommands(root, listed);
}

function testData(
  configuration: Configuration,
  commands: readonly ReadCommand[],
  from: string,
): TestData | undefined {
  const withReader = commands.filter(({ section }) => section.has("reader"));
  const isTest = ({ actions }: ReadCommand): boolean =>
    actions.some((action) => /^(test|eval)$/.test(action));
  const chosen = withReader.find(isTest) ?? withReader.find(({ actions }) => actions.includes("write"));
  if (!chosen) return undefined;
  return { configuration, from, command: chosen.name, reader: chosen.section.section("reader") };
}

/**
 * What the last run in a folder left: the newest model file below it, and the data of a configuration there that trains this file.
 * @throws CntkError `no-model`
 */
export function lastTrainedModel(files: FileAccess): TrainedModel {
  const below = filesBelow(files);
  const newestFirst = below.sort((a, b) => b.modified - a.modified || a.path.length - b.path.length);
  const model = newestFirst.find(
    ({ path }) => /\.(model|dnn|cmf)(\.\d+)?$/i.test(path) && isModel(files, path),
  );
  if (!model) {
    throw new CntkError({
      code: "no-model",
      message: "There is no model file in this folder or below.",
      hint: "--model FILE names one, and configFile=FILE the configuration that trained it",
    });
  }
  const chosenBy = "the newest model below this folder";
  for (const { path } of newestFirst) {
    if (!path.endsWith(".cntk")) continue;
    const data = dataOfTraining(path, model.path, files);
    if (data) return { model: model.path, chosenBy, data };
  }
  return { model: model.path, chosenBy };
}

/** The test data of a configuration, if it trains that model. */
function dataOfTraining(configPath: string, model: string, files: FileAccess): TestData | undefined {
  try {
    const trained = modelOfConfiguration([`configFile=${configPath}`], files);
    return trained.model === files.resolve(model) ? trained.data : undefined;
  } catch (error) {
    // A configuration that cannot be read is not the one that was run.
    if (error instanceof CntkError) return undefined;
    throw error;
  }
}

function isModel(files: FileAccess, path: string): boolean {
  const file = files.open(path);
  try {
    const [first, second, third] = file.read(0, 3);
    const isProgram = first === 0x42 && second === 0 && third === 0x43;
    const isLibrary = first === 8 && (second === 1 || second === 2);
    return isProgram || isLibrary;
  } finally {
    file.close();
  }
}
