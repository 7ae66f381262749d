import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { modelFromNetwork, saveModel } from "../model-files/index.js";
import { compareNames } from "../network/node-order.js";
import { shapeNetwork } from "../pipeline.js";
import type { Session } from "../session.js";
import type { Action } from "./action.js";
import { decomposeParameters, type ParameterGroup } from "./decompose-parameters.js";
import { loadedNetwork } from "./loaded-network.js";
import { leaveUntrained, storedValues } from "./stored-values.js";

interface SvdOptions {
  readonly modelPath: string;
  readonly outputModelPath: string;
  /** Undefined where the file of patterns is none: CNTK then explains what it should be and does nothing. */
  readonly groups: readonly ParameterGroup[] | undefined;
  readonly alignedSize: number;
}

/** Action `SVD`: replaces parameters by products of lower rank (ActionsLib/OtherActions.cpp, DoParameterSVD). */
export const svdAction: Action = {
  run(session, { section }) {
    const { modelPath, outputModelPath, groups, alignedSize } = readOptions(session, section);
    const { log, elementType, files } = session;
    if (!groups) {
      log.write(usage);
      return Promise.resolve({});
    }
    const decomposed = decomposeParameters(loadedNetwork(session, modelPath), {
      groups,
      alignedSize,
      elementType,
      write: (text) => log.write(text),
      now: () => log.clock().getTime(),
    });
    const { shaped } = shapeNetwork(session, decomposed, 0);
    if (outputModelPath !== "") {
      saveModel(
        modelFromNetwork(shaped, storedValues(shaped, elementType), elementType),
        files,
        outputModelPath,
      );
    }
    return Promise.resolve({});
  },
  // The ranks follow from values that a check does not have: what it leaves is the network as it was.
  check(session, { section }) {
    const { modelPath, outputModelPath } = readOptions(session, section);
    const { network } = loadedNetwork(session, modelPath);
    if (outputModelPath !== "")
      leaveUntrained(session, outputModelPath, shapeNetwork(session, network, 0).shaped);
    return Promise.resolve();
  },
};

const usage =
  "usage of SVDConfigFile\n" +
  'A SVDConfigFile is referred in main config by "SVDConfig"\n' +
  "Each line in this file specifies a group of Learnable Parameter nodes using regex and the KeepRatio associated with that group\n" +
  "An example: \n" +
  "W0         1.0\n" +
  "W[1-5]     0.4\n";

function readOptions(session: Session, section: ConfigSection): SvdOptions {
  const modelPath = section.string("modelPath");
  const outputModelPath = section.string("outputmodelPath");
  const keepRatio = section.float("KeepRatio", Math.fround(0.4));
  const alignedSize = section.size("AlignedSize", 8);
  const pattern = section.string("NodeNameRegex", "");
  if (!(alignedSize >= 1)) {
    throw new CntkError({
      code: "aligned-size",
      message: "SVD: AlignedSize has to be at least 1.",
      span: section.keySpan("AlignedSize"),
    });
  }
  const groups =
    pattern === ""
      ? groupsOfFile(session.files.readText(section.string("SVDConfig")))
      : [{ pattern, keepRatio }];
  return { modelPath, outputModelPath, groups, alignedSize };
}

/** A pattern and a ratio on each line; of several lines with the same pattern the last one counts. */
function groupsOfFile(text: string): ParameterGroup[] | undefined {
  const ratios = new Map<string, number>();
  const lines = text.split(/\r\n|\n/);
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) {
    const [pattern, ratio, ...more] = line.split(/[\t ]+/).filter((word) => word !== "");
    if (pattern === undefined || ratio === undefined || more.length > 0) return undefined;
    const keepRatio = Number(ratio);
    if (Number.isNaN(keepRatio)) {
      throw new CntkError({
        code: "bad-value",
        message: `todouble: invalid input string '${ratio}'`,
        hint: "a line of SVDConfig is a pattern and the share of it that is kept, e.g. W.* 0.4",
      });
    }
    ratios.set(pattern, Math.fround(keepRatio));
  }
  return Array.from(ratios, ([pattern, keepRatio]) => ({ pattern, keepRatio })).sort((a, b) =>
    compareNames(a.pattern, b.pattern),
  );
}
