/** A tensor as loops see it: sample dims, first axis contiguous, and whether one such tensor exists per sample. */
export interface LoopOperand {
  readonly dims: readonly number[];
  readonly perSample: boolean;
}

/** One loop. Its length is `size`, times the number of samples if `perSample`. */
export interface LoopAxis {
  readonly size: number;
  readonly perSample: boolean;
  /** Step in memory of each operand, in elements; 0 where the operand is broadcast (or, as an output, reduced). */
  readonly strides: readonly number[];
}

/**
 * The fewest loops, innermost first, that walk over `space` and keep each operand's place by a fixed step per loop.
 * An axis of length 1 needs no loop; neighbours are merged where all operands allow it. The samples are the last axis.
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
    if (size !== 1) axes.push({ size, perSample: false, strides });
  }
  operands.forEach((operand, k) => {
    if (operand.dims.slice(space.dims.length).some((dim) => dim !== 1)) {
      throw new Error("an operand has more dimensions than the loops");
    }
    if (operand.perSample && !space.perSample)
      throw new Error(`operand ${k} has samples, the loops have none`);
  });
  if (space.perSample) {
    const strides = operands.map((operand, k) => (operand.perSample ? (steps[k] ?? 1) : 0));
    axes.push({ size: 1, perSample: true, strides });
  }
  return axes.reduce<LoopAxis[]>((merged, axis) => {
    const inner = merged.at(-1);
    if (inner && axis.strides.every((stride, k) => stride === (inner.strides[k] ?? 0) * inner.size)) {
      merged[merged.length - 1] = { ...inner, size: inner.size * axis.size, perSample: axis.perSample };
    } else merged.push(axis);
    return merged;
  }, []);
}

/** JavaScript for a loop's length. */
function lengthCode(axis: LoopAxis): string {
  if (!axis.perSample) return String(axis.size);
  return axis.size === 1 ? "samples" : `${axis.size} * samples`;
}

/**
 * JavaScript that runs `body` in loops over `axes` (innermost first), keeping operand k's place in a variable.
 * `places` names those variables on entry; `body` gets their names inside the innermost loop.
 */
export function loopsCode(
  axes: readonly LoopAxis[],
  places: readonly string[],
  body: (places: readonly string[]) => string,
  level = axes.length - 1,
  prefix = "i",
): string {
  const axis = axes[level];
  if (!axis) return body(places);
  const index = `${prefix}${level}`;
  const inner = places.map((place, k) => (axis.strides[k] === 0 ? place : `${prefix}p${k}_${level}`));
  const steps = inner.flatMap((name, k) => {
    const stride = axis.strides[k] ?? 0;
    if (stride === 0) return [];
    return `const ${name} = ${places[k]} + ${stride === 1 ? index : `${index} * ${stride}`};`;
  });
  return `for (let ${index} = 0, ${index}n = ${lengthCode(axis)}; ${index} < ${index}n; ${index}++) {
${steps.join("\n")}
${loopsCode(axes, inner, body, level - 1, prefix)}
}`;
}
