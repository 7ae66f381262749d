// Damages model files in every way a disk, a copy or an enemy might, reproducibly: the same seed gives the same bytes.

/** Numbers below `limit`, from a seed (mulberry32). */
export function generator(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * limit);
  };
}

/** Whole numbers at which programs stumble. */
export const extremes = [
  0n,
  1n,
  2n,
  3n,
  7n,
  255n,
  65535n,
  65536n,
  1n << 24n,
  (1n << 31n) - 1n,
  1n << 31n,
  (1n << 32n) - 1n,
].concat([(1n << 53n) + 1n, (1n << 63n) - 1n, (1n << 64n) - 1n, (1n << 64n) - 2n]);

/** Offsets of texts: where small damage changes the meaning rather than the form. */
function metadataEnd(bytes) {
  // Values make up most of a file; half of the damage goes to its first and last parts, which hold names and sizes.
  return Math.min(bytes.length, 4096);
}

function place(bytes, random) {
  const area = random(3);
  if (area === 0) return random(bytes.length);
  if (area === 1) return random(metadataEnd(bytes));
  return bytes.length - 1 - random(metadataEnd(bytes));
}

const damages = [
  // One byte becomes another one, or loses a bit.
  (bytes, random) => {
    const copy = bytes.slice();
    copy[place(bytes, random)] = random(256);
    return copy;
  },
  (bytes, random) => {
    const copy = bytes.slice();
    copy[place(bytes, random)] ^= 1 << random(8);
    return copy;
  },
  // A number of 4 or 8 bytes becomes an extreme one.
  (bytes, random) => {
    const copy = bytes.slice();
    const value = extremes[random(extremes.length)];
    const size = random(2) === 0 ? 4 : 8;
    const at = Math.min(place(bytes, random), bytes.length - size);
    for (let i = 0; i < size; i++) copy[at + i] = Number((value >> BigInt(8 * i)) & 255n);
    return copy;
  },
  // A small number where a small number stands: dimensions, counts and switches that remain plausible.
  (bytes, random) => {
    const copy = bytes.slice();
    for (let tries = 0; tries < 200; tries++) {
      const at = Math.min(place(bytes, random), bytes.length - 4);
      if (copy[at + 1] !== 0 || copy[at + 2] !== 0 || copy[at + 3] !== 0) continue;
      copy[at] = random(40);
      if (random(4) === 0) copy[at + 1 + random(3)] = random(256);
      break;
    }
    return copy;
  },
  // Cut short, a piece taken out, a piece twice.
  (bytes, random) => bytes.slice(0, random(bytes.length)),
  (bytes, random) => {
    const at = place(bytes, random);
    return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + random(16))]);
  },
  (bytes, random) => {
    const at = place(bytes, random);
    const length = 1 + random(64);
    return Uint8Array.from([...bytes.subarray(0, at + length), ...bytes.subarray(at)]);
  },
  // A piece copied over another one: names and operations change places.
  (bytes, random) => {
    const copy = bytes.slice();
    const from = place(bytes, random) & ~1;
    copy.copyWithin(place(bytes, random) & ~1, from, from + 2 * (1 + random(24)));
    return copy;
  },
];

/** The bytes with one to three pieces of damage, chosen by `seed`. */
export function mutated(bytes, seed) {
  const random = generator(seed);
  let result = bytes;
  for (let times = 1 + (random(3) === 0 ? random(3) : 0); times > 0 && result.length > 16; times--) {
    result = damages[random(damages.length)](result, random);
  }
  return result;
}

/** Another value for a field: plausible, extreme, or of another length. */
function otherValue(value, random) {
  if (typeof value === "boolean") return !value;
  if (typeof value === "string") return ["", "max", "lstm", "Sum", "x".repeat(random(300))][random(5)];
  if (Array.isArray(value)) {
    const copy = [...value];
    const length = random(4) === 0 ? random(6) : copy.length;
    while (copy.length < length) copy.push(copy[0] ?? 1);
    copy.length = length;
    if (length > 0) copy[random(length)] = otherValue(copy[0], random);
    return copy;
  }
  if (typeof value === "object") {
    const keys = Object.keys(value);
    const key = keys[random(keys.length)];
    return { ...value, [key]: otherValue(value[key], random) };
  }
  const choice = random(4);
  if (choice === 0) return Number(extremes[random(12)]);
  if (choice === 1) return random(40);
  if (choice === 2) return Number(value) * (1 + random(100));
  return Math.max(0, Number(value) + random(5) - 2);
}

/**
 * A well-formed file with one to three wrong fields, links or operations: what damage of bytes seldom makes. Undefined where the
 * values do not go into a file.
 */
export function rebuilt(api, bytes, seed) {
  const random = generator(seed);
  const model = api.readModel(bytes, "whole");
  const nodes = model.nodes.map((node) => ({
    ...node,
    fields: { ...node.fields },
    inputs: [...node.inputs],
  }));
  for (let times = 1 + random(3); times > 0; times--) {
    const node = nodes[random(nodes.length)];
    const other = nodes[random(nodes.length)];
    const keys = Object.keys(node.fields);
    const choice = random(8);
    if (choice === 0 && node.inputs.length > 0) node.inputs[random(node.inputs.length)] = other.name;
    else if (choice === 1) node.inputs.length = random(node.inputs.length + 1);
    else if (choice === 2) node.inputs.push(other.name);
    else if (choice === 3 && keys.length === 0 && Object.keys(other.fields).length === 0)
      node.operation = other.operation;
    else if (keys.length > 0) {
      const key = keys[random(keys.length)];
      node.fields[key] = otherValue(node.fields[key], random);
      // A parameter of another shape has other values, or it would be refused at once.
      const { shape } = node.fields;
      const size = Array.isArray(shape) ? shape.reduce((product, dim) => product * dim, 1) : 0;
      if (node.values && Array.isArray(shape) && size <= 100_000 && size !== node.values.values.length) {
        const values = node.precision === "float" ? new Float32Array(size) : new Float64Array(size);
        node.values = { rows: shape[0] ?? 1, columns: size / (shape[0] || 1) || 0, values };
      }
    }
  }
  try {
    return api.writeModel({ ...model, nodes });
  } catch {
    return undefined;
  }
}

/**
 * Does with a model file what print-nodes, dumping, editing and eval do, and tells how it went: `ok`, or the code of a CntkError.
 * Anything else that is thrown is a defect and comes through.
 * @param api what the package exports: readModel, writeModel, printNodes, ModelSession, CntkError; and backendFor(elementType)
 */
export async function exercise(api, bytes, name, files, dataPath) {
  try {
    const model = api.readModel(bytes, name);
    api.printNodes(model);
    api.writeModel(model);
    const session = new api.ModelSession(model, api.backendFor, name);
    api.printNodes(model, { long: true });
    const wanted = new Set([...model.groups.output, ...model.groups.criterion, ...model.groups.evaluation]);
    if (wanted.size === 0 && model.nodes.length > 0) wanted.add(model.nodes[model.nodes.length - 1].name);
    for (const node of [...wanted].slice(0, 2)) await session.evaluateFile([node], files, dataPath, 1);
    return "ok";
  } catch (error) {
    if (error instanceof api.CntkError) return error.code;
    throw error;
  }
}

/** One sample of zeros for every input of a model, in CNTK's text format. */
export function zeroSample(model) {
  return `${model.nodes
    .filter(({ operation }) => operation === "InputValue" || operation === "SparseInputValue")
    .map(({ name, operation, fields }) => {
      const size = fields.shape.reduce((product, dim) => product * dim, 1);
      return operation === "InputValue" ? `|${name} ${"0 ".repeat(size)}` : `|${name} 0:1`;
    })
    .join(" ")}\n`;
}

/** What commands do with a model, by the name of the attempt: all that computes with what a file holds. */
const attempts = {
  evaluation: ({ reader, outputPath }) => `command = tested : written
tested = [ action = "test" ; minibatchSize = 4 ; ${reader} ]
written = [ action = "write" ; outputPath = "${outputPath}" ; ${reader} ]`,
  validation: ({ reader }) => `command = validated
validated = [ action = "cv" ; crossValidationInterval = 0:1:0 ; minibatchSize = 4 ; ${reader} ]`,
  statistics: ({ reader, outputPath }) => `command = again
again = [ action = "bnstat" ; itersPerNode = 1 ; minibatchSize = 4 ; newModelPath = "${outputPath}.bn" ; ${reader} ]`,
  training: ({ reader, modelPath, outputPath }) => `command = adapted
adapted = [ action = "adapt" ; origModelFileName = "${modelPath}" ; modelPath = "${outputPath}.trained" ; makeMode = false ; ${sgd} ; ${reader} ]`,
  unitTest: ({ reader, outputPath }) => `command = written
written = [ action = "write" ; nodeUnitTest = true ; outputPath = "${outputPath}" ; ${reader} ]`,
  editing: ({ modelPath, outputPath, reader }) => `command = edited : shown : trained
edited = [ action = "edit" ; makeMode = false ; outputModelPath = "${outputPath}.edited" ; BrainScriptNetworkBuilder = (BS.Network.Edit (BS.Network.Load ("${modelPath}"), (n => n), BS.Constants.None)) ]
shown = [ action = "dumpNode" ; outputFile = "${outputPath}.txt" ; printValues = false ]
trained = [ action = "adapt" ; origModelFileName = "${outputPath}.edited" ; modelPath = "${outputPath}.trained2" ; makeMode = false ; ${sgd} ; ${reader} ]`,
  decomposition: ({ outputPath }) => `command = smaller
smaller = [ action = "SVD" ; outputModelPath = "${outputPath}.svd" ; KeepRatio = 0.5 ; AlignedSize = 1 ; NodeNameRegex = ".*" ]`,
};
const sgd =
  "SGD = [ maxEpochs = 1 ; epochSize = 1 ; minibatchSize = 1 ; learningRatesPerSample = 0.001 ; momentumPerMB = 0.9 ; gradUpdateType = adagrad ]";

export const attemptNames = Object.keys(attempts);

/** A configuration that makes an attempt on a model, with a reader for the inputs of the whole one. */
export function actionsConfig(model, modelPath, dataPath, outputPath, attempt = "evaluation") {
  const streams = model.nodes
    .filter(({ operation }) => operation === "InputValue" || operation === "SparseInputValue")
    .map(({ name, operation, fields }) => {
      const dim = fields.shape.reduce((product, size) => product * size, 1);
      return `${name} = [ dim = ${dim} ; format = "${operation === "InputValue" ? "dense" : "sparse"}" ]`;
    });
  const reader = `reader = [ readerType = "CNTKTextFormatReader" ; file = "${dataPath}" ; randomize = false ; input = [ ${streams.join(" ; ")} ] ]`;
  const precision = model.nodes.some((node) => node.precision === "double") ? "double" : "float";
  return `precision = "${precision}"
modelPath = "${modelPath}"
${attempts[attempt]({ reader, modelPath, outputPath })}
`;
}
