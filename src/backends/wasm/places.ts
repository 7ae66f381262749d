import { elementCount } from "../../network/network.js";
import type { Entry, Plan } from "../../plan/plan.js";
import { dataKey } from "../../plan/rewrite.js";
import type { Expression } from "../../primitives/expression.js";
import type { AxisId, BufferId, Instruction, Operand } from "../../primitives/instruction.js";
import type { Argument } from "./kernels/kernel.js";
import { insideWindows, type InsideWindows } from "./kernels/windows.js";

/*
 * Unpooling, and the gradient of max pooling, leave images that are zero but for one cell of each window. Where the cells are is
 * kept beside such an image, so that a convolution of it need not look at the zeros. This file finds out which values of a plan
 * are such images; who makes them writes the places down, and who reads them asks for them.
 */

/** Images that are zero but for one cell of every window. */
export interface Places {
  /** Where the place of each window's cell stands, in bytes from the sample's beginning; a number of the element type apart. */
  readonly room: Extract<Argument, { kind: "room" }>;
  /** Windows of an image. */
  readonly windows: number;
  readonly width: number;
  readonly height: number;
  readonly images: number;
}

/** Is it worth an instruction's while to know the places of one of its operands? */
export type WantsPlaces = (instruction: Instruction, operand: Operand) => boolean;

/** Rooms of places are apart from all others. */
const firstPlace = 100_000;

/** What an entry's steps outside loops know of places, by buffer. */
export class PlacesOfPlan {
  private readonly known = new Map<BufferId, Places>();
  /** Instructions that find the places; others use what these have found. */
  private readonly finders = new Set<Instruction>();

  constructor(
    private readonly plan: Plan,
    private readonly wants: WantsPlaces,
    private readonly bytes: number,
  ) {
    const rooms = new Map<string, Places>();
    for (const entry of Object.values(plan.entries)) this.find(entry, rooms);
    this.forgetUnwanted();
  }

  /** The places of a value, if they are kept. */
  of({ buffer }: Operand): Places | undefined {
    return this.known.get(buffer);
  }

  /** Is it this instruction that finds them? */
  isFoundBy(instruction: Instruction): boolean {
    return this.finders.has(instruction);
  }

  private find({ steps }: Entry, rooms: Map<string, Places>): void {
    const found = new Set<Places>();
    for (const step of steps) {
      if (step.kind === "loop") continue;
      const places =
        step.kind === "map" ? this.inherited(step) : placesMade(step, rooms, this.bytes, this.plan);
      if (!places) continue;
      this.known.set(step.writes.buffer, places);
      if (step.kind === "map" || found.has(places)) continue;
      found.add(places);
      this.finders.add(step);
    }
  }

  /** What stays zero where an operand is zero has its places. */
  private inherited({
    reads,
    writes,
    parameters,
  }: Extract<Instruction, { kind: "map" }>): Places | undefined {
    const size = elementCount(writes.dims);
    return reads.flatMap((operand, index) => {
      const places = this.known.get(operand.buffer);
      const isWhole = operand.axis === writes.axis && elementCount(operand.dims) === size;
      return places && isWhole && isZeroWith(parameters.expression, index) ? [places] : [];
    })[0];
  }

  /** Keeps no places that nobody asks for, or that a loop would see frame by frame. */
  private forgetUnwanted(): void {
    const wanted = new Set<Places>();
    const unknown = new Set<BufferId>();
    for (const { steps } of Object.values(this.plan.entries)) {
      const here = new Set<BufferId>();
      for (const step of steps) {
        const body = step.kind === "loop" ? step.body : [step];
        for (const instruction of body) {
          const { reads, writes } = instruction;
          if (step.kind === "loop") for (const { buffer } of [writes, ...reads]) unknown.add(buffer);
          // Written twice in an entry: what it holds depends on when one asks.
          if (here.has(writes.buffer)) unknown.add(writes.buffer);
          here.add(writes.buffer);
          for (const operand of reads) {
            const places = this.known.get(operand.buffer);
            if (places && this.wants(instruction, operand)) wanted.add(places);
          }
        }
      }
    }
    for (const [buffer, places] of this.known) {
      if (!wanted.has(places) || unknown.has(buffer)) this.known.delete(buffer);
    }
  }
}

/** The places that an instruction's result has by its own doing; the same for all that look for the maxima of one value. */
function placesMade(
  instruction: Instruction,
  rooms: Map<string, Places>,
  bytes: number,
  plan: Plan,
): Places | undefined {
  const { kind, reads, writes, parameters } = instruction;
  if (kind !== "maxUnpool" && kind !== "poolGradient") return undefined;
  if (kind === "poolGradient" && parameters.mode !== "max") return undefined;
  const [, x] = reads;
  const windows = insideWindows(parameters.geometry);
  if (!x || writes.axis === null || x.axis !== writes.axis || !windows?.apart || !windows.perImage)
    return undefined;
  if (plan.buffers[x.buffer]?.role === "state") return undefined;
  const key = `${x.buffer} ${dataKey(parameters.geometry)}`;
  let places = rooms.get(key);
  if (!places) {
    places = placesIn(parameters.geometry.input, windows, firstPlace + rooms.size, writes.axis, bytes);
    rooms.set(key, places);
  }
  return places;
}

function placesIn(
  [width = 1, height = 1, ...others]: readonly number[],
  { count }: InsideWindows,
  place: number,
  axis: AxisId,
  bytes: number,
): Places {
  const images = elementCount(others);
  return {
    room: { kind: "room", axis, place, size: count * bytes },
    windows: count / images,
    width,
    height,
    images,
  };
}

/** Is an expression 0, or −0, wherever this argument is? */
function isZeroWith(expression: Expression, index: number): boolean {
  switch (expression.kind) {
    case "argument":
      return expression.index === index;
    case "constant":
      return expression.value === 0;
    case "select":
      return isZeroWith(expression.whenTrue, index) && isZeroWith(expression.whenFalse, index);
    case "unary":
      return (
        ["negate", "absolute", "rectify", "squareRoot"].includes(expression.operator) &&
        isZeroWith(expression.x, index)
      );
    default:
      return false;
  }
}
