import type { NetworkNode } from "../../network/network.js";
import type { LayerMaker } from "./layer-maker.js";

/**
 * A layer of long short-term memory cells with peepholes: gates see the input, the output and the cell of the step before,
 * the output gate the present cell. Every use of an earlier step has a delay of its own.
 * Source: ActionsLib/SimpleNetworkBuilder.cpp, BuildLSTMComponent.
 */
export function lstmLayer(
  maker: LayerMaker,
  layer: number,
  inputSize: number,
  size: number,
  input: NetworkNode,
): NetworkNode {
  const { constantGates, gateBiases } = maker.options;
  const weight = (name: string, columns: number): NetworkNode =>
    maker.random(`${name}${layer}`, size, columns);
  const bias = (name: string, value: number): NetworkNode =>
    maker.constant(`${name}${layer}`, size, 1, value);

  const xo = weight("WXO", inputSize);
  const xi = weight("WXI", inputSize);
  const xf = weight("WXF", inputSize);
  const xc = weight("WXC", inputSize);
  const [bo, bc] = [bias("bo", gateBiases.output), bias("bc", 0)];
  const [bi, bf] = [bias("bi", gateBiases.input), bias("bf", gateBiases.forget)];
  const [hi, ci] = [weight("WHI", size), weight("WCI", 1)];
  const [hf, cf] = [weight("WHF", size), weight("WCF", 1)];
  const [ho, co] = [weight("WHO", size), weight("WCO", 1)];
  const hc = weight("WHC", size);

  const past = (): NetworkNode => maker.pastValue(size);
  const [outputForInput, outputForForget, outputForOutput, outputForCell] = [past(), past(), past(), past()];
  const [cellForInput, cellForForget, cellForCell] = [past(), past(), past()];

  /** `f (Wx x + b + Wh h + Wc ∘ c)`, made from the last term to the first. */
  const gate = (
    [fromInput, added, fromOutput, fromCell]: readonly [NetworkNode, NetworkNode, NetworkNode, NetworkNode],
    earlier: NetworkNode,
    cell: NetworkNode,
  ): NetworkNode => {
    const third = maker.node("DiagTimes", [fromCell, cell]);
    const second = maker.times(fromOutput, earlier);
    const first = maker.plus(maker.times(fromInput, input), added);
    return maker.nonlinear(maker.plus(maker.plus(first, second), third), 0);
  };

  const inputGate = constantGates.input ? undefined : gate([xi, bi, hi, ci], outputForInput, cellForInput);
  const recurrent = maker.plus(maker.times(hc, outputForCell), bc);
  const candidate = maker.node("Tanh", [maker.plus(maker.times(xc, input), recurrent)]);
  const added = gated(maker, inputGate, candidate);
  const forgetGate = constantGates.forget
    ? undefined
    : gate([xf, bf, hf, cf], outputForForget, cellForForget);
  const cell = maker.plus(gated(maker, forgetGate, cellForCell), added);
  const outputGate = constantGates.output ? undefined : gate([xo, bo, ho, co], outputForOutput, cell);
  const output = gated(maker, outputGate, maker.node("Tanh", [cell]));

  for (const delayed of [outputForOutput, outputForInput, outputForForget, outputForCell]) {
    maker.closeLoop(delayed, output);
  }
  for (const delayed of [cellForInput, cellForForget, cellForCell]) maker.closeLoop(delayed, cell);
  return maker.dropout(output);
}

function gated(maker: LayerMaker, gate: NetworkNode | undefined, value: NetworkNode): NetworkNode {
  return gate ? maker.node("ElementTimes", [gate, value]) : value;
}
