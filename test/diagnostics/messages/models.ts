import { onnxModel } from "../../support/onnx-model.js";
import { training, type MessageCase } from "./message-case.js";

/** Text as model files hold it. */
const wide = (...texts: string[]): Uint8Array =>
  Buffer.from(texts.map((text) => `${text}\0`).join(""), "utf16le");
const number = (value: number): Uint8Array => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const start = (version: number): Uint8Array[] => [wide("BCN", "BVersion"), number(version), wide("EVersion")];

/** A command on a model file of these bytes. */
const file = (code: string, ...bytes: Uint8Array[]): MessageCase => ({
  code,
  files: { "net.model": Buffer.concat(bytes) },
  command: "print-nodes net.model",
});

const imported = (code: string, bytes: Uint8Array): MessageCase => ({
  code,
  files: { "net.onnx": bytes },
  command: "import net.onnx",
});

/** A command after a training that made `net.model`. */
const trained = (code: string, command: string, more = "", data?: string): MessageCase =>
  training(code, { before: "configFile=net.cntk", command, more, ...(data === undefined ? {} : { data }) });

const evaluate = (node: string) => `eval --node ${node} --model net.model --data data.txt`;

/** The edit of the model of a training. */
const edited = (code: string, description: string): MessageCase =>
  trained(
    code,
    "configFile=net.cntk command=edit",
    `edit = [
  action = edit ; outputModelPath = "new.model"
  BrainScriptNetworkBuilder = (${description})
]`,
  );

/** A script of the editing language, on the model of a training. */
const scripted = (code: string, script: string, files: Record<string, string> = {}): MessageCase => {
  const made = trained(
    code,
    "configFile=net.cntk command=edit",
    'edit = [ action = edit ; editPath = "net.mel" ]',
  );
  return {
    ...made,
    files: { ...made.files, ...files, "net.mel": `m = LoadModel ("net.model")\n${script}\n` },
  };
};

/** A command of the configuration on the model of a training. */
const acted = (code: string, settings: string): MessageCase =>
  trained(code, "configFile=net.cntk command=go", `go = [ ${settings} ]`);

/** Model files, and the commands that work with a trained network. */
export const modelCases: readonly MessageCase[] = [
  file("model-file-foreign", Buffer.from("this is no model")),
  file("model-file-broken", Uint8Array.of(8, 1, 18, 5)),
  trained("model-file-foreign", "print-nodes net.model.ckp"),
  file("model-file-broken", ...start(26)),
  file("model-file-too-new", ...start(99)),
  file("operation-unknown", ...start(26), number(1), wide("BNodeList", "double", "Convolutoin", "z")),
  training("model-missing", {
    command: "configFile=net.cntk command=test",
    more: "test = [ action = test ]",
  }),
  edited("model-missing", 'BS.Network.Load ("net.modle")'),
  edited(
    "unknown-identifier",
    `[
    old = BS.Network.Load ("net.model") ;
    out = BS.Network.Edit (old, BS.Network.Editing.ReplaceLinksToNode (old.eror, old.z), old.z)
  ].out`,
  ),
  edited(
    "edit-cycle",
    `[
    old = BS.Network.Load ("net.model") ;
    swap (node) = if node.name == "x" then old.y else if node.name == "y" then old.x else node ;
    out = BS.Network.Edit (old, swap, BS.Constants.None)
  ].out`,
  ),
  edited(
    "clone-input",
    '[ old = BS.Network.Load ("net.model") ; f = BS.Network.CloneFunction (old.y, old.z) ].f',
  ),
  edited(
    "clone-outputs",
    '[ old = BS.Network.Load ("net.model") ; f = BS.Network.CloneFunction (old.x, []) ].f',
  ),
  edited(
    "clone-parameters",
    '[ old = BS.Network.Load ("net.model") ; f = BS.Network.CloneFunction (old.x, old.z, parameters = "frozen") ].f',
  ),
  edited(
    "wrong-type",
    '[ old = BS.Network.Load ("net.model") ; f = BS.Network.CloneFunction (old.x, old.z) ].f',
  ),
  scripted("script-call", "t = Tanhh (z)"),
  scripted("editing-command", "Renmae (m.z, m.y)"),
  scripted("editing-parameters", "Rename (m.z)"),
  scripted("editing-syntax", "SaveModel"),
  scripted("editing-node", "Rename (m.zz, m.out)"),
  scripted("editing-model", "SetDefaultModel (n)"),
  scripted("editing-option", 'SaveModel (m, "new.model", format = onnx)'),
  scripted("editing-property", "SetProperty (m.z, outputs, true)"),
  scripted("editing-input", "SetInput (m.z, 2, m.x)"),
  scripted("link-to-nothing", "RemoveNode (m.z.W)"),
  scripted("copy-to-itself", "CopyNode (m.z.W, m.z.W)"),
  scripted("copy-between-operations", "CopyNode (m.z.W, m.x, copy = value)"),
  scripted("matrix-size", 'ReviseParameter (m.z.W, "W.txt")', { "W.txt": "1 2 3\n" }),
  trained("data-missing", "eval --node z --model net.model"),
  { code: "no-model", files: {}, command: "eval --node z" },
  training("export-operation", {
    network: `
      x = Input {2} ; y = Input {1}
      z = LinearLayer {1} (x)
      error = SquareError (y, z) ; distance = EditDistanceError (z, y)
      criterionNodes = (error) ; outputNodes = (z) ; evaluationNodes = (distance)`,
    before: "configFile=net.cntk",
    command: "export net.model --to onnx --output distance",
  }),
  trained("export-opset", "export net.model --to onnx --opset 7"),
  trained("model-version", "export net.model --to cntk --file-version 3"),
  trained("log-empty", "view net.model --log net.cntk"),
  { code: "onnx-broken", files: { "net.onnx": "a text\n" }, command: "import net.onnx" },
  imported("import-operation", onnxModel([3], [{ op: "Erf", in: ["x"], out: "y" }], {})),
  imported("import-size", onnxModel([3, "height"], [{ op: "Relu", in: ["x"], out: "y" }], {})),
  imported("onnx-tensor", onnxModel([3], [{ op: "Add", in: ["x", "b"], out: "y" }], { b: [3] }, 16)),
  acted("nothing-to-dump", "action = dumpNode ; printValues = false ; printMetadata = false"),
  acted("name-pattern", 'action = dumpNode ; nodeNameRegex = "z(W"'),
  acted(
    "aligned-size",
    'action = SVD ; outputmodelPath = "new.model" ; NodeNameRegex = ".*W" ; AlignedSize = 0',
  ),
  trained("node-unknown", evaluate("zz")),
  training("node-ambiguous", {
    network: `
      x = Input {2} ; y = Input {1}
      h = LinearLayer {2} (x)
      z = LinearLayer {1} (h)
      error = SquareError (y, z)
      criterionNodes = (error) ; outputNodes = (z)`,
    before: "configFile=net.cntk",
    command: evaluate("W"),
  }),
  trained(
    "backend-precision",
    "configFile=net.cntk precision=double command=test --backend tfjs-cpu",
    "test = [ action = test ]",
  ),
  trained("model-precision", "configFile=net.cntk precision=double command=test", "test = [ action = test ]"),
  trained(
    "no-output-nodes",
    "configFile=net.cntk command=write outputNodeNames=PosteriorProb",
    "write = [ action = write ; outputPath = out ]",
  ),
  trained("no-output", "configFile=net.cntk command=write", "write = [ action = write ]"),
  trained(
    "not-available",
    "configFile=net.cntk command=write",
    "write = [ action = write ; writer = [ file = out ] ]",
  ),
  trained(
    "sequence-keys",
    "configFile=net.cntk command=write",
    'write = [ action = write ; outputPath = out ; writeSequenceKey = true ; format = [ sequencePrologue = "%k:" ] ]',
  ),
  trained(
    "unit-test-nodes",
    "configFile=net.cntk command=write",
    "write = [ action = write ; outputPath = out ; nodeUnitTest = true ; outputNodeNames = z:error ]",
  ),
  trained(
    "write-precision",
    "configFile=net.cntk command=write",
    'write = [ action = write ; outputPath = out ; format = [ precisionFormat = ".4d" ] ]',
  ),
  trained(
    "write-type",
    "configFile=net.cntk command=write",
    "write = [ action = write ; outputPath = out ; format = [ type = reel ] ]",
  ),
  training("no-output-nodes", {
    network: `
      x = Input {2} ; y = Input {1}
      error = SquareError (y, LinearLayer {1} (x))
      criterionNodes = (error)`,
    more: "write = [ action = write ; outputPath = out ]",
    before: "configFile=net.cntk",
    command: "configFile=net.cntk command=write",
  }),
  training("nothing-to-draw", {
    network: `
      x = Input {2} ; y = Input {1}
      error = SquareError (y, LinearLayer {1} (x))
      criterionNodes = (error)`,
    before: "configFile=net.cntk",
    command: "visualize net.model --data data.txt --out pictures",
  }),
  trained("no-input", "visualize net.model --data data.txt --node z.W --out pictures"),
  { code: "mnist-data-missing", files: {}, command: "mnist DataSets --from ." },
  {
    code: "mnist-file-broken",
    files: { "train-images-idx3-ubyte": "junk", "train-labels-idx1-ubyte": "junk" },
    command: "mnist DataSets --from .",
  },
];
