import type { AxisLayout } from "../../minibatch/minibatch.js";
import type { Values } from "../../numerics/values.js";
import type { AxisId, BufferId, Operand } from "../../primitives/instruction.js";
import type { CarriedFrames, KernelRun, SparseColumns, TouchedColumns } from "./kernel.js";
import type { PlanMemory } from "./memory.js";
import type { RandomEngine } from "./random-engine.js";

type Numbers = Readonly<Record<string, number>>;

/** The frames of one buffer, made once and kept as long as its memory and the number of rows stay the same. */
interface FrameViews {
  readonly values: Values;
  readonly rows: number;
  readonly frames: Values[];
}

/** No axis has this number. */
const noLoop = -1;

/** What kernels see of an executable's runs; the executable moves it from step to step and from frame to frame. */
export class HostRun implements KernelRun {
  scalars: Numbers = {};
  doubles: Numbers = {};
  step = 0;
  private loopAxis: AxisId = noLoop;
  private frame = 0;
  private rows = 0;
  private readonly frameViews: (FrameViews | undefined)[] = [];

  constructor(
    private readonly memory: PlanMemory,
    readonly engines: ReadonlyMap<string, RandomEngine>,
  ) {}

  /** From here on kernels work on one frame of the axis. */
  enterFrame(axis: AxisId, frame: number): void {
    this.loopAxis = axis;
    this.frame = frame;
    this.rows = this.memory.layouts[axis]?.rows ?? 0;
  }

  leaveLoop(): void {
    this.loopAxis = noLoop;
  }

  view({ buffer, axis }: Operand): Values {
    const values = this.memory.values[buffer] as Values;
    return axis === this.loopAxis ? this.frameView(buffer, values) : values;
  }

  whole({ buffer }: Operand): Values {
    return this.memory.values[buffer] as Values;
  }

  columns(axis: AxisId | null): number {
    if (axis === null) return 1;
    return axis === this.loopAxis ? this.rows : (this.memory.columns[axis] as number);
  }

  firstColumn(axis: AxisId | null): number {
    return axis === this.loopAxis ? this.frame * this.rows : 0;
  }

  gaps(axis: AxisId | null): Uint8Array | null {
    if (axis === null) return null;
    const mask = this.memory.gaps[axis] ?? null;
    if (!mask || axis !== this.loopAxis) return mask;
    return mask.subarray(this.frame * this.rows, (this.frame + 1) * this.rows);
  }

  layout(axis: AxisId): AxisLayout {
    const layout = this.memory.layouts[axis];
    if (!layout) throw new Error(`the layout of axis ${axis} is not known`);
    return layout;
  }

  openAxis(axis: AxisId, layout: AxisLayout): void {
    this.memory.setLayout(axis, layout);
  }

  sparse({ buffer }: Operand): SparseColumns {
    const columns = this.memory.sparse.get(buffer);
    if (!columns) throw new Error(`buffer ${buffer} holds no sparse columns`);
    return columns;
  }

  touched({ buffer }: Operand): TouchedColumns {
    const columns = this.memory.touched.get(buffer);
    if (!columns) throw new Error(`buffer ${buffer} has no list of touched columns`);
    return columns;
  }

  carried({ buffer }: Operand): CarriedFrames | undefined {
    return this.memory.carried.get(buffer);
  }

  private frameView(buffer: BufferId, values: Values): Values {
    const { rows, frame } = this;
    let views = this.frameViews[buffer];
    if (!views || views.values !== values || views.rows !== rows) {
      views = { values, rows, frames: [] };
      this.frameViews[buffer] = views;
    }
    const known = views.frames[frame];
    if (known) return known;
    const size = rows * (this.memory.sizes[buffer] as number);
    const view = values.subarray(frame * size, (frame + 1) * size);
    views.frames[frame] = view;
    return view;
  }
}
