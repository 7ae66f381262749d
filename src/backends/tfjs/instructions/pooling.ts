import type { Geometry, Instruction, Operand } from "../../../primitives/instruction.js";
import { marginsOf, poolingAsImage, type ImageGeometry } from "../image-geometry.js";
import {
  genericAveragePoolGradient,
  genericMaxPoolGradient,
  genericMaxUnpool,
  genericPool,
} from "../kernels/generic-windows.js";
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient, maxUnpool } from "../kernels/pooling.js";
import { windowTable } from "../kernels/window-table.js";
import { channelsLast, plain, product, type Layout } from "../layout.js";
import { factsOfOperand, tensorOf, type Frame, type ProgramBuilder } from "../program.js";

type PoolInstruction = Extract<Instruction, { kind: "pool" }>;
type PoolGradientInstruction = Extract<Instruction, { kind: "poolGradient" }>;
type UnpoolInstruction = Extract<Instruction, { kind: "maxUnpool" }>;

function batch(operand: Operand, frame: Frame): number {
  return operand.perSample ? frame.samples : 1;
}

/** Layouts in which the large and the pooled side of a pooling can be read: as they are, or CNTK's order. */
function readImage(
  builder: ProgramBuilder,
  operand: Operand,
  channels: number,
): { readonly value: number; readonly layout: Layout } {
  const value = builder.valueOf(operand.buffer);
  const { layout, elements } = builder.factsOf(value);
  if (layout === plain || layout === channelsLast(elements, channels)) return { value, layout };
  return { value: builder.convert(value, plain), layout: plain };
}

function layoutLike(g: ImageGeometry, pixels: number, layout: Layout): Layout {
  return layout === plain ? plain : channelsLast(pixels * g.channels, g.channels);
}

/** What a window's sum is divided by; 0: the number of its cells inside the input. */
function divisorOf(geometry: Geometry, includePad: boolean): number {
  return includePad ? product(geometry.kernel) : 0;
}

/** Pooling: tfjs's `MaxPool` on channels-last images that need no padding, our own loops otherwise. */
export function addPool(builder: ProgramBuilder, instruction: PoolInstruction): void {
  const { mode, includePad, geometry, input, output } = instruction;
  const g = poolingAsImage(geometry);
  if (!g) {
    const table = windowTable(geometry);
    const divisor = divisorOf(geometry, includePad);
    const value = builder.own([builder.read(input, plain)], factsOfOperand(output), (frame, to, [from]) =>
      genericPool(table, mode, divisor, batch(output, frame), from as Float32Array, to),
    );
    return builder.assign(output, value);
  }
  const { value: x, layout } = readImage(builder, input, g.channels);
  const pooledLayout = layoutLike(g, g.windowsX * g.windowsY, layout);
  const facts = factsOfOperand(output, pooledLayout);
  const margins = Object.values(marginsOf(g)) as number[];
  const { device } = builder;
  const isChannelsLast = layout === channelsLast(g.width * g.height * g.channels, g.channels);
  // XNNPACK refuses windows of one cell and strides beyond the window.
  const suitsTfjs =
    g.kernelWidth * g.kernelHeight > 1 && g.strideX <= g.kernelWidth && g.strideY <= g.kernelHeight;
  if (mode === "max" && isChannelsLast && suitsTfjs && margins.every((margin) => margin === 0)) {
    const attributes = {
      filterSize: [g.kernelHeight, g.kernelWidth],
      strides: [g.strideY, g.strideX],
      pad: "valid",
    };
    const value = builder.compute([x], facts, (frame) => {
      const shape = [batch(output, frame), g.height, g.width, g.channels];
      return device.call("MaxPool", { x: device.shaped(tensorOf(frame, x), shape) }, attributes);
    });
    return builder.assign(output, value);
  }
  const pool =
    mode === "max" ? maxPool(g, layout, pooledLayout) : averagePool(g, layout, pooledLayout, includePad);
  const value = builder.own([x], facts, (frame, to, [from]) =>
    pool(batch(output, frame), from as Float32Array, to),
  );
  builder.assign(output, value);
}

/** Gradients of poolings: ours, because of CNTK's rules for ties and padding. */
export function addPoolGradient(builder: ProgramBuilder, instruction: PoolGradientInstruction): void {
  const { mode, includePad, geometry, input, pooled, outputGradient, output } = instruction;
  const g = poolingAsImage(geometry);
  if (mode === "max") {
    if (!input || !pooled)
      throw new Error("The gradient of max pooling needs the pooling's input and output.");
    if (!g) {
      const table = windowTable(geometry);
      const reads = [input, pooled, outputGradient].map((operand) => builder.read(operand, plain));
      const value = builder.own(reads, factsOfOperand(output), (frame, to, [x, y, dy]) => {
        to.fill(0);
        genericMaxPoolGradient(
          table,
          batch(output, frame),
          x as Float32Array,
          y as Float32Array,
          dy as Float32Array,
          to,
        );
      });
      return builder.assign(output, value);
    }
    const x = readImage(builder, input, g.channels);
    const y = readImage(builder, pooled, g.channels);
    const dy = readImage(builder, outputGradient, g.channels);
    const kernel = maxPoolGradient(g, x.layout, y.layout, dy.layout);
    const reads = [x.value, y.value, dy.value];
    const value = builder.own(
      reads,
      factsOfOperand(output, x.layout),
      (frame, to, [from, largest, gradient]) => {
        to.fill(0);
        kernel(
          batch(output, frame),
          from as Float32Array,
          largest as Float32Array,
          gradient as Float32Array,
          to,
        );
      },
    );
    return builder.assign(output, value);
  }
  if (!g) {
    const table = windowTable(geometry);
    const divisor = divisorOf(geometry, includePad);
    const reads = [builder.read(outputGradient, plain)];
    const value = builder.own(reads, factsOfOperand(output), (frame, to, [gradient]) => {
      to.fill(0);
      genericAveragePoolGradient(table, divisor, batch(output, frame), gradient as Float32Array, to);
    });
    return builder.assign(output, value);
  }
  const dy = readImage(builder, outputGradient, g.channels);
  const layout = layoutLike(g, g.width * g.height, dy.layout);
  const kernel = averagePoolGradient(g, layout, dy.layout, includePad);
  const value = builder.own([dy.value], factsOfOperand(output, layout), (frame, to, [gradient]) => {
    to.fill(0);
    kernel(batch(output, frame), gradient as Float32Array, to);
  });
  builder.assign(output, value);
}

/** Unpooling, which tfjs does not know. */
export function addMaxUnpool(builder: ProgramBuilder, instruction: UnpoolInstruction): void {
  const { geometry, pooled, poolInput, output } = instruction;
  const g = poolingAsImage(geometry);
  if (!g) {
    const table = windowTable(geometry);
    const reads = [builder.read(pooled, plain), builder.read(poolInput, plain)];
    const value = builder.own(reads, factsOfOperand(output), (frame, to, [values, from]) => {
      to.fill(0);
      genericMaxUnpool(table, batch(output, frame), values as Float32Array, from as Float32Array, to);
    });
    return builder.assign(output, value);
  }
  const x = readImage(builder, poolInput, g.channels);
  const values = readImage(builder, pooled, g.channels);
  const kernel = maxUnpool(g, x.layout, values.layout);
  const reads = [values.value, x.value];
  const value = builder.own(reads, factsOfOperand(output, x.layout), (frame, to, [from, input]) => {
    to.fill(0);
    kernel(batch(output, frame), from as Float32Array, input as Float32Array, to);
  });
  builder.assign(output, value);
}
