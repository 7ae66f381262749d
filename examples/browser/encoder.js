import { CntkError, loadModel } from "cntkts/browser";

/** An auto-encoder of pictures: what goes in comes out again, through something narrow in between. */
export class AutoEncoder {
  /** Throws CntkError for bytes that are no model, Error for a model that is no auto-encoder of pictures. */
  constructor(bytes, name) {
    this.name = name;
    this.session = loadModel(bytes, { name });
    const { inputs, outputs } = this.session;
    const [input, output] = [inputs[0], outputs.find(({ size }) => size === inputs[0]?.size)];
    if (inputs.length !== 1 || !output || !isGreyPicture(input.shape)) {
      const shapes = (nodes) => nodes.map(({ name, shape }) => `${name} [${shape.join(" x ")}]`).join(", ");
      throw new Error(
        `It takes ${shapes(inputs) || "nothing"} and gives ${shapes(outputs) || "nothing"}; ` +
          "this page needs a grey picture that goes in and one of the same size that comes out.",
      );
    }
    this.input = input;
    this.output = output;
    this.layers = this.layersBetween();
    // The last of the smallest is where the picture is given the least room.
    const smallest = Math.min(...this.layers.map(({ size }) => size));
    this.narrowest = this.layers.findLast(({ size }) => size === smallest);
    this.error = this.session.nodes.find(({ name }) => name === "rmse");
  }

  get width() {
    return this.input.shape[0];
  }

  get height() {
    return this.input.shape[1];
  }

  /** What the network makes of a picture: values of a layer and of the output; the error where the model has a node for it. */
  async evaluate(pixels, layer) {
    const names = [layer.name, this.output.name, ...(this.error ? [this.error.name] : [])];
    const begin = performance.now();
    const values = await this.session.evaluate(names, { [this.input.name]: pixels });
    const milliseconds = performance.now() - begin;
    const [encoding, reconstruction, error] = values.map(({ samples }) => samples[0]);
    return { pixels, layer: layer.name, encoding, reconstruction, error: error?.[0], milliseconds };
  }

  /** The feature maps between input and output, in the order in which they are computed. */
  layersBetween() {
    const nodes = new Map(this.session.nodes.map((node) => [node.name, node]));
    const [seen, ordered] = [new Set(), []];
    const visit = (name) => {
      const node = nodes.get(name);
      if (!node.perSample || seen.has(node)) return;
      seen.add(node);
      node.inputs.forEach(visit);
      ordered.push(node);
    };
    visit(this.output.name);
    return ordered.filter(
      (node) => node.shape.length === 3 && node.name !== this.input.name && node.name !== this.output.name,
    );
  }

  dispose() {
    return this.session.dispose();
  }
}

function isGreyPicture([width, height, channels = 1]) {
  return width > 1 && height > 1 && channels === 1;
}

/** A sentence for people about what went wrong. */
export function explanation(error) {
  if (!(error instanceof CntkError)) return error.message;
  const { message, hint } = error.diagnostic;
  return hint ? `${message} (${hint})` : message;
}
