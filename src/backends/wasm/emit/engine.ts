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
