/** A tensor as loops see it: sample dims, first axis contiguous, and whether one such tensor exists per column of an axis. */
export interface LoopOperand {
  readonly dims: readonly number[];
  readonly axis: number | null;
}

/** One loop. Its length is `size`, times the number of columns if `isColumns`. */
export interface LoopAxis {
  readonly size: number;
  readonly isColumns: boolean;
  /** Step in memory of each operand, in elements; 0 where the operand is stretched (or, as a result, reduced). */
  readonly strides: readonly number[];
}

/**
 * The fewest loops, innermost first, that walk over `space` and keep each operand's place by a fixed step per loop.
 * An axis of length 1 needs no loop; neighbours are merged where all operands allow it. The columns are the last axis.
 * An operand's dims must equal the space's or be 1; missing trailing dims count as 1.
 */
export function loopNest(space: LoopOperand, operands: readonly LoopOperand[]): LoopAxis[] {
  const steps = operands.map(() => 1);
  const axes: LoopAxis[] = [];
  for (let i = 0; i < space.dims.length; i++) {
    const size = space.dims[i] ?? 1;
    const strides = operands.map((operand, k) => {
      const dim = operand.dims[i] ?? 1;
      if (dim !== size && dim !== 1)
        throw new Error(`dimension ${dim} does not match ${size} on axis ${i + 1}`);
      const stride = dim === 1 ? 0 : (steps[k] ?? 1);
      steps[k] = (steps[k] ?? 1) * dim;
      return stride;
    });
    axes.push({ size, isColumns: false, strides });
  }
  operands.forEach((operand, k) => {
    if (operand.dims.slice(space.dims.length).some((dim) => dim !== 1)) {
      throw new Error("an operand has more dimensions than the loops");
    }
    if (operand.axis !== null && space.axis === null)
      throw new Error(`operand ${k + 1} has a dynamic axis, the loops have none`);
  });
  if (space.axis !== null) {
    const strides = operands.map((operand, k) => (operand.axis === null ? 0 : (steps[k] ?? 1)));
    axes.push({ size: 1, isColumns: true, strides });
  }
  return mergedAxes(axes);
}

/** The same walk with fewer loops: those of length 1 left out, contiguous neighbours joined. */
export function mergedAxes(axes: readonly LoopAxis[]): LoopAxis[] {
  const merged: LoopAxis[] = [];
  for (const axis of axes) {
    if (axis.size === 1 && !axis.isColumns) continue;
    const inner = merged.at(-1);
    if (inner && axis.strides.every((stride, k) => stride === (inner.strides[k] ?? 0) * inner.size)) {
      merged[merged.length - 1] = { ...inner, size: inner.size * axis.size, isColumns: axis.isColumns };
    } else merged.push(axis);
  }
  return merged;
}

/** How generated loops are written. */
export interface LoopStyle {
  /** Begins the names of the loops' variables. */
  readonly prefix?: string;
  /**
   * Leave out the columns that are marked in the variable `gaps`; this is done for a column passed over that holds
   * `size` cells.
   */
  readonly skipping?: (size: number) => string;
}

/**
 * JavaScript that runs `body` in loops over `axes` (innermost first), keeping operand k's place in a variable; the number of
 * columns is in the variable `columns`. `places` names the operands' places on entry; `body` gets their names inside the
 * innermost loop.
 */
export function loopsCode(
  axes: readonly LoopAxis[],
  places: readonly string[],
  body: (places: readonly string[]) => string,
  style: LoopStyle = {},
  level = axes.length - 1,
): string {
  const axis = axes[level];
  if (!axis) return body(places);
  const prefix = style.prefix ?? "i";
  const index = `${prefix}${level}`;
  const inner = places.map((place, k) => (axis.strides[k] === 0 ? place : `${prefix}p${k}_${level}`));
  const steps = inner.flatMap((name, k) => {
    const stride = axis.strides[k] ?? 0;
    if (stride === 0) return [];
    return `const ${name} = ${places[k]} + ${stride === 1 ? index : `${index} * ${stride}`};`;
  });
  const inside = [...steps, loopsCode(axes, inner, body, style, level - 1)].join("\n");
  return `${headCode(axis, index, style)} {\n${inside}\n}${axis.isColumns && style.skipping ? "\n}" : ""}`;
}

/** The beginning of a loop; where gaps are left out, a loop over the columns stands around it. */
function headCode({ size, isColumns }: LoopAxis, index: string, { skipping }: LoopStyle): string {
  const loop = (name: string, from: string, to: string) =>
    `for (let ${name} = ${from}, ${name}n = ${to}; ${name} < ${name}n; ${name}++)`;
  if (!isColumns) return loop(index, "0", String(size));
  if (!skipping) return loop(index, "0", size === 1 ? "columns" : `${size} * columns`);
  const column = `${index}c`;
  return `for (let ${column} = 0; ${column} < columns; ${column}++) {
if (gaps[${column}] !== 0) { ${skipping(size)} continue; }
${loop(index, `${column} * ${size}`, `${index} + ${size}`)}`;
}
