import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { checkReader, readerFromConfig, streamSections } from "../readers/index.js";
import type { Session } from "../session.js";
import type { Action } from "./action.js";

/** What the action works on: the reader of the section that it names, and that reader's labels with their files. */
interface LabelMapOptions {
  readonly reader: ConfigSection;
  readonly files: readonly string[];
  readonly traceLevel: number;
  readonly minibatchSize: number;
}

/**
 * Action `createLabelMap`: the label file of a UCIFastReader, one word a line in the order in which the data bring them
 * (ActionsLib/OtherActions.cpp, DoCreateLabelMap). A file that is there already stays as it is.
 */
export const createLabelMapAction: Action = {
  async run(session, { section }) {
    const { reader, files, traceLevel, minibatchSize } = readOptions(section);
    for (const file of files) {
      if (session.files.exists(file)) {
        const known = `the label mapping file '${file}' already exists, no work to do.`;
        session.log.write(`CreateLabelMap: ${known}\n`);
        return {};
      }
      session.log.write(`CreateLabelMap: Creating the mapping file '${file}' \n`);
      const count = await countSamples(session, reader, minibatchSize);
      if (traceLevel > 0) session.log.write(`\nread ${count} labels and produced ${file}\n`);
    }
    return {};
  },
  async check(_session, { section }) {
    await checkReader(readOptions(section).reader);
  },
};

function readOptions(section: ConfigSection): LabelMapOptions {
  const owner = section.section(section.string("section"));
  const reader = owner.section("reader");
  reader.inject("allowMapCreation", "true");
  const { labels } = streamSections(reader);
  if (labels.length === 0) {
    throw new CntkError({
      code: "no-labels",
      message: "CreateLabelMap: no labels found to process",
      span: reader.span,
      hint: "labels = [ dim = 1 ; labelDim = 2 ; labelMappingFile = labels.txt ]",
    });
  }
  const files = labels.map((name) => labelFile(reader, name));
  const minibatchSize = section.size("minibatchSize", 2048);
  return { reader, files, traceLevel: section.integer("traceLevel", 0), minibatchSize };
}

function labelFile(reader: ConfigSection, name: string): string {
  const section = reader.section(name);
  if (section.hasOwn("labelMappingFile") || reader.hasOwn("labelMappingFile")) {
    return section.string("labelMappingFile");
  }
  throw new CntkError({
    code: "no-label-file",
    message: "CreateLabelMap: No labelMappingFile defined",
    span: section.span,
  });
}

/** Reads all data; with the beginning of a second pass the reader makes the file. */
async function countSamples(
  session: Session,
  section: ConfigSection,
  minibatchSize: number,
): Promise<number> {
  const reader = await readerFromConfig(section, session);
  const all = { minibatchSize, epochSize: 0, rank: 0, workers: 1 };
  try {
    await reader.start({ ...all, epoch: 0 });
    let count = 0;
    for (let read = await reader.next(); read; read = await reader.next()) count += read.columns;
    await reader.start({ ...all, epoch: 1 });
    return count;
  } finally {
    await reader.close();
  }
}
