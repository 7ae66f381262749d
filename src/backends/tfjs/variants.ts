import { Device, registeredNames, type Tfjs, type Variant } from "./device.js";

/** How the packages are loaded; tests replace them. */
export interface Loaders {
  readonly core: () => Promise<Tfjs>;
  readonly node: () => Promise<unknown>;
  readonly wasm: () => Promise<{ setWasmPaths(folder: string): void }>;
  readonly cpu: () => Promise<unknown>;
}

/** Why a variant cannot be used here, in one sentence. */
export class VariantUnavailable extends Error {}

const nodePackage = "@tensorflow/tfjs-node";
/** tfjs-node's native part, which npm fetches from elsewhere and may therefore be missing. */
const nativePart = `${nodePackage}/lib/napi-v8/tfjs_binding.node`;

export const packageLoaders: Loaders = {
  core: () => import("@tensorflow/tfjs-core"),
  wasm: () => import("@tensorflow/tfjs-backend-wasm"),
  cpu: () => import("@tensorflow/tfjs-backend-cpu"),
  node: async () => {
    // Loading the package only to see it fail takes half a second; asking for the native file does not.
    if (await isMissing(nativePart)) {
      throw new VariantUnavailable(`${nodePackage} is not installed, or its native part is missing`);
    }
    return importByName(nodePackage);
  },
};

/** Optional packages are named by a variable, so that neither TypeScript nor a bundler insists on them. */
function importByName(name: string): Promise<unknown> {
  return import(/* @vite-ignore */ name) as Promise<unknown>;
}

async function isMissing(file: string): Promise<boolean> {
  try {
    await importByName(file);
    return false;
  } catch (problem) {
    // A file that is there fails otherwise: JavaScript cannot import native code by its name.
    const code = (problem as { code?: unknown }).code;
    return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
  }
}

/** Where a page or program keeps the three `.wasm` files; without it tfjs finds those of its package. */
export interface OpenOptions {
  readonly wasmFolder?: string | undefined;
  readonly loaders?: Loaders | undefined;
}

/**
 * Starts one variant and has it run one op.
 * @throws with the reason where the variant cannot be used here.
 */
export async function openDevice(variant: Variant, options: OpenOptions = {}): Promise<Device> {
  const { loaders = packageLoaders, wasmFolder } = options;
  const tf = await loaders.core();
  await load(variant, loaders, wasmFolder);
  const name = registeredNames[variant];
  const former = tf.engine().backendName;
  try {
    if (!(await tf.setBackend(name))) throw new VariantUnavailable(`the backend '${name}' did not start`);
    const backend = tf.findBackend(name);
    // The cpu backend would recommend tfjs-node on the terminal at its first tensor.
    if (variant === "cpu") (backend as { firstUse?: boolean }).firstUse = false;
    const device = new Device(tf, variant, backend);
    await checkOneOp(device);
    return device;
  } finally {
    if (former && former !== name && tf.engine().registry[former]) await tf.setBackend(former);
  }
}

async function load(variant: Variant, loaders: Loaders, wasmFolder: string | undefined): Promise<void> {
  if (variant === "node") await quietly(loaders.node);
  else if (variant === "cpu") await quietly(loaders.cpu);
  else {
    const wasm = await quietly(loaders.wasm);
    if (wasmFolder !== undefined) wasm.setWasmPaths(wasmFolder);
  }
}

/** Multiplies two small matrices and looks at the result. */
async function checkOneOp(device: Device): Promise<void> {
  const result = new Float32Array(4);
  await device.exclusively(() => {
    const matrix = (...numbers: number[]) => device.tensor(Float32Array.from(numbers), [2, 2]);
    device.compute(result, () => device.tf.matMul(matrix(1, 2, 3, 4), matrix(5, 6, 7, 8)));
  });
  if (result.join() !== "19,22,43,50") {
    throw new VariantUnavailable(`a product of two matrices came out as ${result.join(" ")}`);
  }
}

/** Starts `work` with the console's chatter off. The console is back before anything is waited for. */
function quietly<T>(work: () => Promise<T>): Promise<T> {
  const silence = (): undefined => undefined;
  const saved = { ...console };
  Object.assign(console, { log: silence, info: silence, warn: silence, error: silence, debug: silence });
  try {
    return work();
  } finally {
    Object.assign(console, saved);
  }
}
