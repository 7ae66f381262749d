import type * as TfjsCore from "@tensorflow/tfjs-core";
import type { KernelBackend, Tensor } from "@tensorflow/tfjs-core";
import type { Values } from "../../numerics/values.js";

/** tfjs-core as a module; handed around, so that nothing but `createTfjsBackend` loads it. */
export type Tfjs = typeof TfjsCore;

/** Which of TensorFlow.js's own backends computes. */
export type Variant = "node" | "wasm" | "cpu";

/** The name under which each variant is registered in tfjs-core. */
export const registeredNames: Readonly<Record<Variant, string>> = {
  node: "tensorflow",
  wasm: "wasm",
  cpu: "cpu",
};

/** The one door to TensorFlow.js: makes tensors from the host's arrays, runs ops on them, brings the result back. */
export class Device {
  private readonly engine: ReturnType<Tfjs["engine"]>;

  /** `backend` is tfjs-core's instance behind `variant`, already initialized. */
  constructor(
    readonly tf: Tfjs,
    readonly variant: Variant,
    private readonly backend: KernelBackend,
  ) {
    this.engine = tf.engine();
  }

  /**
   * Runs `work` with this device as tfjs-core's active backend and gives the former one back afterwards. `work` must
   * not wait for anything: several executables on several devices take turns.
   */
  async exclusively<T>(work: () => T): Promise<T> {
    const { engine } = this;
    const name = registeredNames[this.variant];
    const former = engine.backendName;
    while (engine.backendName !== name) await this.tf.setBackend(name);
    try {
      return work();
    } finally {
      if (former && former !== name && engine.registry[former]) void this.tf.setBackend(former);
    }
  }

  /** The first numbers of an array as a tensor of the given (row-major) shape. It lives until the end of `compute`. */
  tensor(values: Values, shape: readonly number[]): Tensor {
    const count = shape.reduce((product, size) => product * size, 1);
    const numbers = values instanceof Float32Array ? values : Float32Array.from(values);
    const exact = numbers.length === count ? numbers : numbers.subarray(0, count);
    return this.engine.makeTensor(exact, [...shape], "float32", this.backend);
  }

  /** Puts the numbers of the tensor that `work` makes into `target`; all tensors made on the way are released. */
  compute(target: Values, work: () => Tensor): void {
    this.tf.tidy(() => {
      target.set(work().dataSync<"float32">());
    });
  }
}
