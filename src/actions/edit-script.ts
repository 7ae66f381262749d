import { configurationLines } from "../config/configuration-lines.js";
import { ConfigSection } from "../config/config-section.js";
import type { MappedText } from "../config/mapped-text.js";
import { attempted } from "../diagnostics/attempts.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { dumpNodes, modelFromNetwork, saveModel } from "../model-files/index.js";
import { emptyGroups } from "../network/build.js";
import { EditableNetwork } from "../network/editable-network.js";
import { elementCount, type Network, type ShapedNetwork } from "../network/network.js";
import { type ElementType, inElementType, type Values } from "../numerics/values.js";
import { shapeNetwork } from "../pipeline.js";
import type { Session } from "../session.js";
import { type EditingServices, runEditingScript } from "../sources/mel/index.js";
import {
  addDescription,
  InlineScript,
  newLanguage,
  readMacroFiles,
  readScriptFile,
  scriptsOf,
} from "../sources/ndl/index.js";
import {
  inModelFile,
  loadModelFile,
  networkFromModel,
  requirePrecision,
} from "../sources/model-file/index.js";
import { parseTextMatrix } from "../sources/text-matrix.js";
import { leaveUntrained, storedValues } from "./stored-values.js";
import { writeText } from "./text-output.js";

/**
 * The older form of the action `edit`: a script of the model editing language, in which `$x$` stand for the configuration's
 * variables (ActionsLib/TrainActions.cpp, DoEdit).
 */
export function editByScript(
  session: Session,
  section: ConfigSection,
  services = editingServices(session, section),
): void {
  const path = section.string("editPath");
  const lines = configurationLines({ name: path, text: attempted(() => session.files.readText(path)) });
  runEditingScript(section.resolve(lines), services);
}

/** What a script may do; in a check, nothing is written. */
export function editingServices(session: Session, section: ConfigSection, isCheck = false): EditingServices {
  const { files, log, seeds } = session;
  // A model that is loaded keeps its precision, whatever the run's.
  let precision: ElementType | undefined;
  const elementType = (): ElementType => precision ?? session.elementType;
  // Macros that `ndlMacros` names are known to all descriptions of the script.
  const language = newLanguage(session);
  readMacroFiles(language, section, session);
  const settings = {
    get elementType() {
      return elementType();
    },
    seeds,
    seedOffset: 0,
    readFile: (path: string) => attempted(() => files.readText(path)),
    log: (text: string) => log.write(text),
  };
  const compile = (network: Network): ShapedNetwork => shapeNetwork(session, network, 0).shaped;
  return {
    newModel() {
      const defaultAxis = session.axisNames.next("*");
      return new EditableNetwork({ nodes: [], groups: emptyGroups(), values: new Map(), defaultAxis });
    },
    load(path, legacyInputs) {
      const model = loadModelFile(session, path);
      precision ??= model.nodes[0]?.precision;
      requirePrecision(elementType(), model, path);
      const read = networkFromModel(model, path);
      const network = legacyInputs ? withVectorInputs(read) : read;
      const shaped = inModelFile(path, () => compile(network));
      return new EditableNetwork({ ...network, defaultAxis: shaped.defaultAxis }, shaped.facts);
    },
    save(network, path) {
      const shaped = compile(network.network);
      if (isCheck) {
        leaveUntrained(session, path, shaped);
        return;
      }
      const values = storedValues(shaped, elementType());
      saveModel(modelFromNetwork(shaped, values, elementType()), files, path);
    },
    dump(network, nodes, printValues, path) {
      const { facts, values } = network;
      const options = { elementType: elementType(), printValues, printMetadata: true };
      const pieces = dumpNodes({ nodes, facts, values, ...options });
      if (isCheck) return;
      writeText(session, path, pieces);
    },
    readMatrix: (path, rows, columns) => readMatrix(session, path, rows, columns),
    describe: (network) => new InlineScript(network, settings, language),
    describeWhole: (network, text) => addDescription([text], network, settings, language),
    describeFile(network, path, name) {
      const text = readScriptFile(path, files, section);
      const texts = name === undefined ? scriptsOf(text, path.text) : [sectionOf(text, path, name)];
      addDescription(texts, network, settings, language);
    },
    log: (text) => log.write(text),
  };
}

/** A section of a file of network descriptions. */
function sectionOf(text: MappedText, path: MappedText, name: string): MappedText {
  const { result, diagnostics } = ConfigSection.read(text, path.text);
  const [first] = diagnostics;
  if (first) throw new CntkError(first);
  if (result.has(name)) return result.text(name);
  throw new CntkError({
    code: "script-missing",
    message: `Section ${name} specified in optional parameter was not found in the ${path.text} file`,
    span: path.spanOf(),
  });
}

/** Models of the end of 2015 have inputs whose tensors are wrong; as vectors they can be used. */
function withVectorInputs(network: Network): Network {
  for (const node of network.groups.feature) {
    const shape = (node.attributes["shape"] ?? []) as readonly number[];
    node.attributes = { ...node.attributes, shape: [elementCount(shape)] };
  }
  return network;
}

function readMatrix({ files, elementType }: Session, path: string, rows: number, columns: number): Values {
  const matrix = parseTextMatrix(
    attempted(() => files.readText(path)),
    `file ${path}`,
  );
  if (matrix.rows === rows && matrix.columns === columns) return inElementType(matrix.values, elementType);
  throw new CntkError({
    code: "matrix-size",
    message: `The file '${path}' holds ${matrix.rows} rows of ${matrix.columns} numbers; the parameter has ${rows} of ${columns}.`,
    hint: "dumpNode with printMetadata = false writes a parameter in the form that is wanted",
  });
}
