import * as tf from "@tensorflow/tfjs-core";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createTfjsBackend } from "../../../src/backends/tfjs/index.js";
import { packageLoaders, VariantUnavailable } from "../../../src/backends/tfjs/variants.js";
import { runCase } from "../../support/conformance-case.js";
import { convolutionCases } from "../conformance/convolution-cases.js";
import { matmulCases } from "../conformance/matmul-cases.js";
import { poolingCases } from "../conformance/pool-cases.js";

/** What importing tfjs-node does to tfjs-core: a backend named `tensorflow` with its kernels. */
function registerFakeNode(): void {
  // The flag keeps it from recommending tfjs-node on the terminal.
  tf.registerBackend("tensorflow", () => Object.assign(new MathBackendCPU(), { firstUse: false }), 3);
  tf.copyRegisteredKernels("cpu", "tensorflow");
}

afterEach(() => {
  vi.restoreAllMocks();
  for (const { kernelName } of tf.getKernelsForBackend("tensorflow")) {
    tf.unregisterKernel(kernelName, "tensorflow");
  }
  if (tf.findBackendFactory("tensorflow")) tf.removeBackend("tensorflow");
});

describe("the choice of the variant", () => {
  it("takes wasm where tfjs-node is not there, and says why", async () => {
    const node = () => Promise.reject(new VariantUnavailable("it is not installed"));
    const backend = await createTfjsBackend({ loaders: { ...packageLoaders, node } });
    expect(backend.description).toBe("tfjs wasm");
    expect(backend.notes).toEqual(["tfjs node cannot be used: it is not installed."]);
  });

  it("takes tfjs-node where it runs an op", async () => {
    const node = () => Promise.resolve(registerFakeNode());
    const backend = await createTfjsBackend({ loaders: { ...packageLoaders, node } });
    expect(backend.description).toBe("tfjs node");
    expect(backend.notes).toEqual([]);
  });

  it.each([
    [
      "fails in",
      () => {
        throw new Error("no such kernel in this build\nat line 1");
      },
      "no such kernel in this build",
    ],
    [
      "computes wrongly",
      ({ inputs }: { inputs: tf.NamedTensorInfoMap }) => inputs["a"] as tf.TensorInfo,
      "a product of two matrices came out as 1 2 3 4",
    ],
  ])("takes wasm where tfjs-node %s its one op", async (_, multiply, reason) => {
    const node = async () => {
      registerFakeNode();
      tf.unregisterKernel("BatchMatMul", "tensorflow");
      tf.registerKernel({
        kernelName: "BatchMatMul",
        backendName: "tensorflow",
        kernelFunc: multiply,
      });
    };
    const backend = await createTfjsBackend({ loaders: { ...packageLoaders, node } });
    expect(backend.description).toBe("tfjs wasm");
    expect(backend.notes).toEqual([`tfjs node cannot be used: ${reason}.`]);
  });

  it("takes cpu where WebAssembly cannot be had either, and warns", async () => {
    const missing = (what: string) => () => Promise.reject(new Error(`${what} is missing`));
    const loaders = { ...packageLoaders, node: missing("tfjs-node"), wasm: missing("the wasm package") };
    const backend = await createTfjsBackend({ loaders });
    expect(backend.description).toBe("tfjs cpu");
    expect(backend.notes).toEqual([
      "tfjs node cannot be used: tfjs-node is missing.",
      "tfjs wasm cannot be used: the wasm package is missing.",
      "TensorFlow.js computes in plain JavaScript, which is slow.",
    ]);
  });

  it("refuses a variant that was asked for and is not there", async () => {
    const node = () => Promise.reject(new Error("it is not installed"));
    await expect(
      createTfjsBackend({ variant: "node", loaders: { ...packageLoaders, node } }),
    ).rejects.toMatchObject({
      code: "backend-unavailable",
      message: expect.stringContaining("not installed") as string,
    });
  });

  it("prints nothing and leaves no listener on the process, whatever the packages do", async () => {
    const printed: unknown[] = [];
    for (const method of ["log", "info", "warn", "error"] as const) {
      vi.spyOn(console, method).mockImplementation((...words) => void printed.push(words));
    }
    const events = ["uncaughtException", "unhandledRejection"] as const;
    const count = () => events.map((event) => process.listenerCount(event));
    const before = count();
    const node = async () => {
      console.warn("Hi there! Looks like you are running TensorFlow.js in Node.js.");
      throw new Error("not today");
    };
    await createTfjsBackend({ loaders: { ...packageLoaders, node } });
    await createTfjsBackend({ variant: "cpu" });
    expect(printed).toEqual([]);
    expect(count()).toEqual(before);
  });

  it("leaves the caller's own backend of tfjs as it was", async () => {
    await import("@tensorflow/tfjs-backend-cpu");
    await tf.setBackend("cpu");
    await createTfjsBackend({ variant: "wasm" });
    expect(tf.getBackend()).toBe("cpu");
  });
});

describe("the path of tfjs-node, on a backend that stands in for it", () => {
  const cases = [...matmulCases, ...convolutionCases, ...poolingCases];
  it.each(cases.map((test) => [test.name, test] as const))("%s", async (_, test) => {
    const node = () => Promise.resolve(registerFakeNode());
    const backend = await createTfjsBackend({ variant: "node", loaders: { ...packageLoaders, node } });
    const tensors = tf.memory().numTensors;
    await runCase(backend, "float", test);
    expect(tf.memory().numTensors).toBe(tensors);
  });
});
