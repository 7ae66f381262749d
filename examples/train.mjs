// Trains and tests models/parity_LSTM.cntk from a program: node examples/train.mjs
// The configuration's words are those of the command line; the log, CNTK's to the digit, goes where the program wants it.
import { CntkError, renderDiagnostic, runConfig } from "cntkts";

let log = "";
let shown = 0;
const options = {
  log: { write: (text) => (log += text) },
  onProgress: ({ phase, epoch, epochs }) => {
    if (phase !== "train" || epoch === shown) return;
    shown = epoch;
    console.log(`epoch ${epoch} of ${epochs}`);
  },
};

await runConfig(["configFile=models/parity_LSTM.cntk", "command=train:test"], options);
const [result] = log.match(/^Final Results: .*/m) ?? [];
console.log(result);

// What is wrong is a CntkError: a code for programs, and a text that shows the place for people.
try {
  await runConfig(["configFile=models/parity_LSTM.cntk", "train=[SGD=[maxEpochs=many]]"], options);
} catch (error) {
  if (!(error instanceof CntkError)) throw error;
  console.log(`\nAnd a mistake, ${error.code}:\n${renderDiagnostic(error.diagnostic)}`);
}
