/**
 * A small assembler for WebAssembly: enough to write loops over floats, four at a time. Opcodes are those of the
 * WebAssembly core specification, version 2 (with fixed-width SIMD).
 */

/** What is used of WebAssembly's own interface; Node's and the browsers' declarations of it differ. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

interface WasmInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Record<string, Record<string, unknown>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

export const i32 = 0x7f;
export const f32 = 0x7d;
export const f64 = 0x7c;
export const v128 = 0x7b;
export type ValueType = typeof i32 | typeof f32 | typeof f64 | typeof v128;

/** Instructions without operands of their own; those of SIMD follow the prefix 0xfd. */
const plainOpcodes = {
  "i32.eqz": 0x45,
  "i32.lt_s": 0x48,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.and": 0x71,
  "f64.add": 0xa0,
  "f32.demote_f64": 0xb6,
  "f64.promote_f32": 0xbb,
} as const;

const simdOpcodes = {
  "f32x4.splat": 0x13,
  "f32x4.eq": 0x41,
  "f32x4.ne": 0x42,
  "f32x4.lt": 0x43,
  "f32x4.gt": 0x44,
  "f32x4.le": 0x45,
  "f32x4.ge": 0x46,
  "v128.and": 0x4e,
  "v128.andnot": 0x4f,
  "v128.or": 0x50,
  "v128.bitselect": 0x52,
  "f64x2.promote_low_f32x4": 0x5f,
  "f32x4.floor": 0x68,
  "f32x4.abs": 0xe0,
  "f32x4.neg": 0xe1,
  "f32x4.sqrt": 0xe3,
  "f32x4.add": 0xe4,
  "f32x4.sub": 0xe5,
  "f32x4.mul": 0xe6,
  "f32x4.div": 0xe7,
  /** pmin(a, b) = b < a ? b : a */
  "f32x4.pmin": 0xea,
  /** pmax(a, b) = a < b ? b : a */
  "f32x4.pmax": 0xeb,
  "f64x2.add": 0xf0,
} as const;

export type Opcode = keyof typeof plainOpcodes | keyof typeof simdOpcodes;

const loads = {
  "f64.load": [0x2b],
  "v128.load": [0xfd, 0x00],
  "v128.load32_splat": [0xfd, 0x09],
  "v128.load32_zero": [0xfd, 0x5c],
} as const;
const stores = { "f32.store": [0x38], "f64.store": [0x39], "v128.store": [0xfd, 0x0b] } as const;

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

function floatBytes(value: number): number[] {
  return [...new Uint8Array(Float32Array.of(value).buffer)];
}

/** A function of JavaScript that the module calls: double → double, or two doubles → double. */
export interface ImportedFunction {
  readonly call: (...numbers: number[]) => number;
  readonly arity: 1 | 2;
}

/** Writes one function. Values are pushed and popped as WebAssembly does; locals are numbers. */
export class FunctionWriter {
  private readonly code: number[] = [];
  private readonly locals: ValueType[] = [];
  private readonly imports: ImportedFunction[] = [];

  /** `parameters` become locals 0, 1, …; the function returns nothing. */
  constructor(private readonly parameters: readonly ValueType[]) {}

  local(type: ValueType): number {
    this.locals.push(type);
    return this.parameters.length + this.locals.length - 1;
  }

  get(local: number): this {
    return this.bytes(0x20, ...unsigned(local));
  }

  set(local: number): this {
    return this.bytes(0x21, ...unsigned(local));
  }

  op(...names: readonly Opcode[]): this {
    for (const name of names) {
      if (name in plainOpcodes) this.bytes(plainOpcodes[name as keyof typeof plainOpcodes]);
      else this.bytes(0xfd, ...unsigned(simdOpcodes[name as keyof typeof simdOpcodes]));
    }
    return this;
  }

  integer(value: number): this {
    return this.bytes(0x41, ...signed(value));
  }

  /** Four times the same float. */
  vector(value: number): this {
    const lane = floatBytes(value);
    return this.bytes(0xfd, 0x0c, ...lane, ...lane, ...lane, ...lane);
  }

  /** Pushes what lies at the address on the stack plus `offset` bytes. No alignment is assumed beyond four bytes. */
  load(kind: keyof typeof loads, offset = 0): this {
    return this.bytes(...loads[kind], 2, ...unsigned(offset));
  }

  /** Stores the value on the stack at the address below it plus `offset` bytes. */
  store(kind: keyof typeof stores, offset = 0): this {
    return this.bytes(...stores[kind], 2, ...unsigned(offset));
  }

  /** Stores lane 0 of the vector on the stack. */
  storeLane0(offset = 0): this {
    return this.bytes(0xfd, 0x5a, 2, ...unsigned(offset), 0);
  }

  extractFloat(lane: number): this {
    return this.bytes(0xfd, 0x1f, lane);
  }

  replaceFloat(lane: number): this {
    return this.bytes(0xfd, 0x20, lane);
  }

  extractDouble(lane: number): this {
    return this.bytes(0xfd, 0x21, lane);
  }

  /** Moves the upper two floats of the vector on the stack to the lower two. */
  upperHalf(vector: number): this {
    const lanes = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
    return this.get(vector)
      .get(vector)
      .bytes(0xfd, 0x0d, ...lanes);
  }

  /** local += distance */
  advance(local: number, distance: number): this {
    return distance === 0 ? this : this.get(local).integer(distance).op("i32.add").set(local);
  }

  /** Runs `body` while local `counter` < `limit` (a local), adding `step` after each turn; the counter starts as it is. */
  countTo(counter: number, limit: number, step: number, body: () => void): this {
    this.bytes(0x02, 0x40, 0x03, 0x40); // block, loop
    this.get(counter).get(limit).op("i32.lt_s", "i32.eqz").bytes(0x0d, 1); // leave when done
    body();
    this.advance(counter, step);
    return this.bytes(0x0c, 0, 0x0b, 0x0b);
  }

  /** Runs `body` `turns` times, a number known beforehand. */
  repeat(turns: number, body: () => void): this {
    if (turns === 1) {
      body();
      return this;
    }
    const left = this.local(i32);
    this.integer(turns).set(left);
    this.bytes(0x03, 0x40);
    body();
    this.get(left).integer(1).op("i32.sub").set(left).get(left);
    return this.bytes(0x0d, 0, 0x0b);
  }

  /** Runs `body` as often as local `turns` says, at least not below zero times. */
  repeatLocal(turns: number, body: () => void): this {
    const counter = this.local(i32);
    this.integer(0).set(counter);
    return this.countTo(counter, turns, 1, body);
  }

  /** Calls a function of JavaScript with the doubles on the stack. */
  call(imported: ImportedFunction): this {
    let index = this.imports.findIndex(({ call }) => call === imported.call);
    if (index < 0) index = this.imports.push(imported) - 1;
    return this.bytes(0x10, ...unsigned(index));
  }

  /** Assembles the module, on `memory`. */
  instantiate(memory: WasmMemory): (...values: number[]) => void {
    const { imports } = this;
    const type = (parameters: readonly ValueType[], results: readonly ValueType[]) => [
      0x60,
      ...list(parameters.map((p) => [p])),
      ...list(results.map((r) => [r])),
    ];
    const imported = imports.map((_, i) => [
      ...name("js"),
      ...name(String(i)),
      0x00,
      imports[i]?.arity === 2 ? 2 : 1,
    ]);
    const bytes = Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, list([type(this.parameters, []), type([f64], [f64]), type([f64, f64], [f64])])),
      ...section(2, list([[...name("js"), ...name("memory"), 0x02, 0x00, 0], ...imported])),
      ...section(3, list([[0]])),
      ...section(7, list([[...name("run"), 0x00, ...unsigned(imports.length)]])),
      ...section(10, list([this.body()])),
    ]);
    const functions = Object.fromEntries(imports.map(({ call }, i) => [String(i), call]));
    const { Module, Instance } = (globalThis as unknown as { WebAssembly: WasmInterface }).WebAssembly;
    const instance = new Instance(new Module(bytes), { js: { memory, ...functions } });
    return instance.exports["run"] as (...values: number[]) => void;
  }

  private body(): number[] {
    const locals = list(this.locals.map((type) => [1, type]));
    const content = [...locals, ...this.code, 0x0b];
    return [...unsigned(content.length), ...content];
  }

  private bytes(...bytes: readonly number[]): this {
    for (const byte of bytes) this.code.push(byte);
    return this;
  }
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return list([...new TextEncoder().encode(text)].map((byte) => [byte]));
}
