import { call, drop, i32, local } from "wasmati";
import type { Operand } from "../../../primitives/instruction.js";
import { operandAt } from "../../host/kernel.js";
import { define, variable, type Routine } from "../emit/function.js";
import { when } from "../emit/loops.js";
import { innerProduct } from "./inner-product.js";
import {
  address,
  columns,
  gaps,
  handedOn,
  number,
  room,
  units,
  type Argument,
  type Call,
  type WasmCompiler,
  type WasmContext,
} from "./kernel.js";
import { outerProduct } from "./outer-product.js";
import { edgeSize, packedPanels, packedStrips, panelRows, productOfPanels, stripWidth } from "./panels.js";
import { samplesTogether } from "./samples.js";

/** A matrix of more bytes does not stay in a processor's own cache: so many columns are multiplied by it together. */
const largeMatrix = 1 << 18;
const columnsTogether = 16;

/** From so many rows and columns of a·bᵀ on it pays to pack both factors, samples after another. */
const fewestPacked = 24;
/** Columns of a product of packed factors that stay together. */
const packedTogether = 32;

/**
 * writes = op(a)·op(b). a·b and small a·bᵀ add up columns of a (outer-product.ts), aᵀ·b multiplies columns with columns
 * (inner-product.ts), a·bᵀ takes a from panels and b from strips (panels.ts). Where a dynamic axis with gaps is contracted, its
 * samples are put together first.
 */
export const compileMatmul: WasmCompiler<"matmul"> = ({ reads, writes, parameters }, context) => {
  const [a, b] = [operandAt(reads, 0), operandAt(reads, 1)];
  const { transposeA, transposeB } = parameters;
  if (b.storage !== "dense" || writes.storage !== "dense" || (transposeA && transposeB)) return undefined;
  const [aRows = 1, aColumns = 1] = a.dims;
  const [bRows = 1, bColumns = 1] = b.dims;
  const { bytes } = context.lanes;
  // The result's columns are those of b, or its rows: without a dynamic axis they are units of work.
  const count = transposeB ? bRows : bColumns;
  const resultRows = transposeA ? aColumns : aRows;
  const isFixed = writes.axis === null;
  const summed = transposeA ? aRows : aColumns;
  const along = transposeB ? b.axis : null;
  const isLarge = aRows * aColumns * bytes > largeMatrix;
  const cut = isFixed
    ? { units: { count, work: resultRows * summed, along, grain: 4 } }
    : isLarge && { grain: columnsTogether, apart: true };
  const n = isFixed ? units : columns(b.axis, bColumns);
  const right = address(b, isFixed ? (transposeB ? bytes : bRows * bytes) : 0);
  const result = address(writes, isFixed ? resultRows * bytes : 0);
  if (transposeA) {
    const sizes = [columns(a.axis, aColumns), n, number(aRows)];
    return [{ routine: innerProduct(context), arguments: [address(a), right, result, ...sizes], ...cut }];
  }
  const k = columns(transposeB ? b.axis : a.axis, transposeB ? bColumns : aColumns);
  const steps = transposeB
    ? [number(aRows * bytes), number(bRows * bytes), number(bytes)]
    : [number(aRows * bytes), number(bytes), number(bRows * bytes)];
  const factors = [address(a), right, result, number(aRows), n, k, ...steps];
  if (!transposeB || b.axis === null || a.axis !== b.axis) {
    return [{ routine: outerProduct(context), arguments: factors, ...cut }];
  }
  const [together, rooms] = samplesOf(context, a, b);
  if (Math.min(aRows, bRows) >= fewestPacked) {
    return [together, ...packedProduct(context, [a, b, writes], k, rooms)];
  }
  return [together, { routine: productOfSamples(context), arguments: [...factors, ...rooms], ...cut }];
};

/** A call that puts the samples of both factors together, if there are gaps, and where it leaves them. */
function samplesOf(context: WasmContext, a: Operand, b: Operand): [Call, Argument[]] {
  const { bytes } = context.lanes;
  const size = ({ dims }: Operand) => dims.reduce((product, dim) => product * dim, 1) * bytes;
  const [aColumns, mask] = [a.dims[1] ?? 1, gaps(b.axis)];
  const count = handedOn(0, 4);
  const routine = context.routine(`samples of factors ${aColumns}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([left, right, leftSize, rightSize, skipped, all, leftRoom, rightRoom, found]) => {
        when(local.get(skipped), () => {
          call(samplesTogether(context), [left, leftRoom, leftSize, skipped, all]);
          drop();
          call(samplesTogether(context), [right, rightRoom, rightSize, skipped, all]);
          const samples = variable("i32");
          local.set(samples);
          i32.store({}, found, i32.mul(samples, aColumns));
        });
      },
    ),
  );
  const given = [address(a), address(b), number(size(a)), number(size(b)), mask, columns(b.axis)];
  const rooms = [room(0, size(a), b.axis), room(1, size(b), b.axis, bytes)];
  return [{ routine, arguments: [...given, ...rooms, count] }, [mask, ...rooms, count]];
}

/** The same product over the columns that are no gaps: (…, gaps, roomOfA, roomOfB, placeOfTheirCount). */
function productOfSamples(context: WasmContext): Routine {
  return context.routine("product of samples", () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([a, b, c, m, n, k, aStep, bStep, bColumn, mask, roomA, roomB, count]) => {
        when(local.get(mask), () => {
          local.set(a, roomA);
          local.set(b, roomB);
          local.set(k, i32.load({}, count));
        });
        call(outerProduct(context), [a, b, c, m, n, k, aStep, bStep, bColumn]);
      },
    ),
  );
}

/** The calls that pack samples of both factors and multiply them; `k` columns without gaps, `rooms` as from `samplesOf`. */
function packedProduct(
  context: WasmContext,
  [a, b, writes]: readonly [Operand, Operand, Operand],
  k: Argument,
  rooms: readonly Argument[],
): Call[] {
  const { lanes } = context;
  const { bytes } = lanes;
  const [aRows = 1, aColumns = 1] = a.dims;
  const [bRows = 1, bColumns = 1] = b.dims;
  const upTo = (rows: number, step: number) => Math.ceil(rows / step) * step * bytes;
  const panels = room(2, upTo(aRows, panelRows(lanes)) * aColumns, b.axis);
  const strips = room(3, upTo(bRows, stripWidth) * bColumns, b.axis);
  const cut = { count: bRows, work: aRows * bColumns, along: b.axis, grain: packedTogether };
  return [
    {
      routine: panelsOfSamples(context, aRows),
      arguments: [address(a), ...rooms, k, panels],
    },
    {
      routine: productOfPacked(context, aRows, bRows),
      arguments: [
        ...[address(b), address(b, bytes), address(writes, aRows * bytes), units, k],
        ...[...rooms, panels, strips, room(4, edgeSize)],
      ],
      units: cut,
    },
  ];
}

/** (a, gaps, roomOfA, roomOfB, placeOfTheirCount, k, panels) */
function panelsOfSamples(context: WasmContext, m: number): Routine {
  const step = m * context.lanes.bytes;
  return context.routine(`panels of samples ${m}`, () =>
    define(["i32", "i32", "i32", "i32", "i32", "i32", "i32"], [], ([a, mask, roomA, , count, k, panels]) => {
      when(local.get(mask), () => {
        local.set(a, roomA);
        local.set(k, i32.load({}, count));
      });
      call(packedPanels(context), [a, panels, m, k, step]);
    }),
  );
}

/** (b, piece of b, c, columns, k, gaps, roomOfA, pieceOfRoomOfB, placeOfTheirCount, panels, strips, edge) */
function productOfPacked(context: WasmContext, m: number, n: number): Routine {
  const { bytes } = context.lanes;
  return context.routine(`product of packed samples ${m} ${n}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([b, piece, c, columns, k, mask, , roomB, count, panels, strips, edge]) => {
        const before = variable("i32", i32.sub(piece, b));
        when(local.get(mask), () => {
          local.set(piece, roomB);
          local.set(k, i32.load({}, count));
        });
        // Where the strips of the columns before the piece end.
        const own = variable("i32", i32.add(i32.mul(before, k), strips));
        call(packedStrips(context), [piece, own, k, columns, n * bytes, bytes]);
        call(productOfPanels(context), [panels, own, c, m, columns, k, m * bytes, edge]);
      },
    ),
  );
}
