import type * as TfjsCore from "@tensorflow/tfjs-core";
import type { KernelBackend, NamedAttrMap, NamedTensorMap, Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

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

/**
 * The one door to TensorFlow.js: runs its kernels, and lends the memory of its tensors to our own.
 *
 * Tensors never change once written. That is what lets a buffer be shared instead of copied, and XNNPACK demands it:
 * it packs the right-hand operand of a product once per tensor and would not see a later write.
 *
 * How our kernels reach the numbers:
 * - wasm: a view of the WebAssembly heap. It dies when the heap grows, so first allocate, then take views.
 * - cpu: the backend's own array.
 * - node: the array that tfjs-node uploads with a tensor's first op; results of its ops are copied out.
 */
export class Device {
  private readonly engine: ReturnType<Tfjs["engine"]>;
  private readonly heap: BackendWasm | null;
  /** Reshaped tensors of a step (tfjs-node only), released by `endStep`. */
  private readonly borrowed: Tensor[] = [];

  /** `backend` is tfjs-core's instance behind `variant`, already initialized. */
  constructor(
    readonly tf: Tfjs,
    readonly variant: Variant,
    private readonly backend: KernelBackend,
    readonly registeredName: string = registeredNames[variant],
  ) {
    this.engine = tf.engine();
    this.heap = variant === "wasm" ? (backend as BackendWasm) : null;
  }

  /**
   * Runs `work` with this device as tfjs-core's active backend and gives the former one back afterwards. `work` must
   * not wait for anything: several executables on several devices take turns.
   */
  async exclusively<T>(work: () => T): Promise<T> {
    const { engine, registeredName } = this;
    const former = engine.backendName;
    while (engine.backendName !== registeredName) await this.tf.setBackend(registeredName);
    try {
      return work();
    } finally {
      if (former && former !== registeredName && engine.registry[former]) void this.tf.setBackend(former);
    }
  }

  /** Runs a kernel of tfjs (or one registered by us) that has one output. */
  call(kernel: string, inputs: Record<string, TensorInfo>, attributes: object): Tensor {
    return this.engine.runKernel<Tensor>(
      kernel,
      inputs as unknown as NamedTensorMap,
      attributes as unknown as NamedAttrMap,
    );
  }

  /** A new tensor of `count` floats for one of our kernels to fill; the contents are arbitrary before that. */
  allocate(count: number): Tensor {
    const { engine, heap } = this;
    if (heap) return engine.makeTensorFromTensorInfo(heap.makeOutput([count], "float32"), heap);
    return engine.makeTensor(new Float32Array(count), [count], "float32", this.backend);
  }

  /** A new tensor with a copy of `values`. */
  upload(values: ArrayLike<number>, count: number): Tensor {
    const tensor = this.allocate(count);
    const target = this.view(tensor);
    if (values.length === count) target.set(values);
    else for (let i = 0; i < count; i++) target[i] = values[i] as number;
    return tensor;
  }

  /** The numbers of a tensor. Write only to tensors fresh from `allocate`; on wasm valid until the next allocation. */
  view(tensor: TensorInfo): Float32Array {
    if (this.heap) return this.heap.typedArrayFromHeap(tensor) as Float32Array;
    return this.backend.readSync(tensor.dataId) as Float32Array;
  }

  /** A copy of a tensor's numbers. */
  download(tensor: TensorInfo): Float32Array {
    return this.view(tensor).slice();
  }

  /** The same memory under another shape, valid for the current step. */
  shaped(tensor: Tensor, shape: number[]): TensorInfo {
    if (this.variant !== "node") return { dataId: tensor.dataId, shape, dtype: tensor.dtype };
    // A native tensor knows its shape; here tfjs has to say so.
    const reshaped = this.call("Reshape", { x: tensor }, { shape });
    this.borrowed.push(reshaped);
    return reshaped;
  }

  /** Another handle to the same numbers, to be disposed of by itself. */
  share(tensor: Tensor): Tensor {
    return this.call("Identity", { x: tensor }, {});
  }

  /** Registers a tensor that the current step no longer needs when it is over. */
  untilEndOfStep(tensor: Tensor): Tensor {
    this.borrowed.push(tensor);
    return tensor;
  }

  endStep(): void {
    for (const tensor of this.borrowed) tensor.dispose();
    this.borrowed.length = 0;
  }
}
