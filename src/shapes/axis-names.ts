import type { DynamicAxis, Network } from "../network/network.js";

/**
 * The names of dynamic axes: one counter per base name for the whole process, never reset and unaware of names users
 * choose. The first `*` is `*`, then come `*1`, `*2`, … (Sequences.h, MBLayout::SetUniqueAxisName).
 */
export class AxisNames {
  private readonly taken = new Map<string, number>();

  /** A new dynamic axis. Every network object takes one named `*` when it is constructed. */
  next(base: string): DynamicAxis {
    const count = this.taken.get(base) ?? 0;
    this.taken.set(base, count + 1);
    return { axisName: count === 0 ? base : `${base}${count}` };
  }

  /**
   * For a network whose nodes were made under their names (from a model file, not from BrainScript): each of its
   * DynamicAxis nodes takes a number that nobody sees, because the first compile takes the next one.
   */
  takenByLoading({ nodes }: Network): void {
    for (const { op, name } of nodes) if (op.name === "DynamicAxis") this.next(name);
  }
}
