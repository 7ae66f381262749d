import { elementCount } from "../../network/network.js";
import { roundingOf } from "../../plan/fold-constants.js";
import type { KernelCompiler } from "../host/kernel.js";

/**
 * The mask of one minibatch: one draw per element, in memory order. The draw is compared with the rate rounded to
 * the element type; the scale is computed from the unrounded rate (CPUMatrixImpl.h, SetUniformRandomMask).
 */
export const compileDropoutMask: KernelCompiler<"dropoutMask"> = (
  { writes, parameters },
  { elementType },
) => {
  const { engine, rate } = parameters;
  const size = elementCount(writes.dims);
  const round = roundingOf(elementType);
  return (run) => {
    const target = run.view(writes);
    const count = size * run.columns(writes.axis);
    const exactRate = run.doubles[rate] ?? 0;
    if (exactRate === 0) {
      target.fill(1, 0, count);
      return;
    }
    const random = run.engines.get(engine);
    if (!random) throw new Error(`the plan has no random engine ${engine}`);
    const threshold = round(exactRate);
    const scale = round(1 / (1 - exactRate));
    random.fillByLimit(target, count, [threshold, 0, scale], elementType);
  };
};
