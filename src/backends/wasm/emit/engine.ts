/*
 * The few things of the engine's WebAssembly interface that are used here; Node and browsers have the same.
 */

/** A piece of linear memory. */
export interface LinearMemory {
  readonly buffer: ArrayBufferLike;
  /** Adds pages of 64 kB; throws RangeError where they cannot be had. */
  grow(pages: number): number;
}

/** What a module is given: two levels of names. */
export type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Compiled code without memory or imports. */
export interface CompiledModule {
  readonly kind?: "module";
}

interface Engine {
  Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => LinearMemory;
  Module: new (bytes: Uint8Array) => CompiledModule;
  Instance: new (module: CompiledModule, imports: Imports) => { readonly exports: Record<string, unknown> };
  validate(bytes: Uint8Array): boolean;
}

export const engine: Engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;

/** Does the engine know the instruction that multiplies and adds with one rounding (relaxed SIMD)? */
export function canFuse(): boolean {
  const zeros = [0x41, 0x00, 0xfd, 0x0f];
  return engine.validate(
    Uint8Array.of(
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00],
      ...[0x0a, 0x14, 0x01, 0x12, 0x00, ...zeros, ...zeros, ...zeros, 0xfd, 0x85, 0x02, 0x1a, 0x0b],
    ),
  );
}

/** May memory be shared here? Some browsers let only pages do so that are isolated from other origins. */
export function canShare(): boolean {
  return canHaveShared(1);
}

/** Pages of the largest memory: as far as 32 bits reach. Only what is used is taken from the machine. */
export const mostPages = 65536;

/**
 * Can the addresses of the largest memory be reserved? The engine takes some 10 GB of them, so that no access needs a check; a
 * process whose address space is limited (`ulimit -v`, as on many clusters) may not have them.
 */
export function canReserve(): boolean {
  return canHaveShared(mostPages);
}

function canHaveShared(pages: number): boolean {
  try {
    new engine.Memory({ initial: 0, maximum: pages, shared: true });
    return true;
  } catch {
    return false;
  }
}

/** What the engine lacks for the compiled backend; undefined if nothing. */
export function missingForWasm(): string | undefined {
  return engine.validate(vectorModule) ? undefined : "WebAssembly SIMD";
}

/** A module with one function that makes a vector and drops it. */
const vectorModule = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x09, 0x01, 0x07, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x1a, 0x0b],
);
