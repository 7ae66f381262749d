import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { createTfjsBackend } from "../../../src/backends/tfjs/index.js";
import type { Variant } from "../../../src/backends/tfjs/device.js";
import {
  autoEncoderPlan,
  autoEncoderStates,
  classifierPlan,
  classifierStates,
  minibatch,
} from "./training-plans.js";

const scalars = { rate: 0.1, momentum: 0.9, dropoutRate: 0.5 };

/** All that TensorFlow.js knows about its memory, and the backend's own count of its data. */
function inventory(variant: Variant) {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return { numTensors, numDataBuffers, numBytes, data: tf.findBackend(variant).numDataIds() };
}

/** Size of the WebAssembly heap in bytes. */
function heapSize(): number {
  const { wasm } = tf.findBackend("wasm") as unknown as { wasm: { HEAPU8: Uint8Array } };
  return wasm.HEAPU8.buffer.byteLength;
}

describe.each(["wasm", "cpu"] as const)("memory of tfjs %s", (variant) => {
  it.each([
    ["the auto-encoder", () => autoEncoderPlan("float"), () => autoEncoderStates()],
    ["a classifier with dropout", () => classifierPlan("float", true), classifierStates],
  ])("stays the same over minibatches of %s and goes back with dispose", async (_, plan, states) => {
    const backend = await createTfjsBackend({ variant });
    const before = inventory(variant);
    const executable = await backend.compile(plan());
    await executable.writeState(states());
    const compiled = inventory(variant);
    // Memory is the host's; tensors live within an instruction only.
    expect(compiled).toEqual(before);
    for (const samples of [8, 3, 8, 1, 8]) {
      await executable.run("gradients", minibatch(samples, samples), scalars);
      expect(inventory(variant)).toEqual(compiled);
    }
    await executable.readState([...states().keys()]);
    expect(inventory(variant)).toEqual(compiled);
    await executable.dispose();
    await executable.dispose();
    expect(inventory(variant)).toEqual(before);
  });
});

it("the WebAssembly heap stops growing after the first minibatches", async () => {
  const backend = await createTfjsBackend({ variant: "wasm" });
  const executable = await backend.compile(classifierPlan("float"));
  await executable.writeState(classifierStates());
  const batches = [minibatch(32, 1), minibatch(20, 2)];
  const run = (i: number) => executable.run("gradients", batches[i % 2]!, scalars);
  for (let i = 0; i < 10; i++) await run(i);
  const size = heapSize();
  for (let i = 0; i < 100; i++) await run(i);
  expect(heapSize()).toBe(size);
  await executable.dispose();
});
