import type { ConfigSection } from "../config/config-section.js";
import { writeWhole } from "../files/file-access.js";
import { dotText } from "../network/dot-text.js";
import type { Session } from "../session.js";
import type { Action } from "./action.js";
import { drawGraph, drawingPath } from "./draw-graph.js";
import { viewedNetwork } from "./loaded-network.js";
import { writeText } from "./text-output.js";

interface PlotOptions {
  readonly modelPath: string;
  readonly outputDotFile: string;
  /** The drawing, if one is asked for. */
  readonly outputFile: string;
}

/**
 * Action `plot`: the graph of a model in Graphviz's language, and drawn where `outputFile` asks for a drawing
 * (ActionsLib/OtherActions.cpp, DoTopologyPlot). CNTK has a program of the user's draw it; here Graphviz is built in.
 */
export const plotAction: Action = {
  async run(session, { section }) {
    const { files, log } = session;
    const { modelPath, outputDotFile, outputFile } = readOptions(section, session);
    const dot = dotText(viewedNetwork(session, modelPath));
    writeText(session, outputDotFile, [dot]);
    log.write(`Created network description in dot format: ${outputDotFile}\n`);
    if (outputFile !== "") {
      const drawing = await drawGraph(dot);
      writeWhole(files, outputFile, (file) => file.write(drawing));
      log.write(`Drawn as ${outputFile}\n`);
    }
    log.write("Done.\n");
    return {};
  },
  check(session, { section }) {
    viewedNetwork(session, readOptions(section, session).modelPath);
    return Promise.resolve();
  },
};

function readOptions(section: ConfigSection, { log }: Session): PlotOptions {
  const modelPath = section.string("modelPath");
  const outputDotFile = section.string("outputDotFile", "") || `${modelPath}.dot`;
  const outputFile = section.string("outputFile", "");
  if (section.string("renderCmd", "") !== "") {
    log.write(
      "WARNING: renderCmd is not run: cntkts starts no other programs. It draws outputFile itself.\n",
    );
  }
  const drawing = outputFile === "" ? "" : drawingPath(outputFile);
  if (drawing !== outputFile) {
    log.write(`WARNING: drawings are SVG: ${drawing} is written in place of ${outputFile}.\n`);
  }
  return { modelPath, outputDotFile, outputFile: drawing };
}
