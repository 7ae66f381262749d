import { formatFixed } from "../numerics/number-format.js";
import type { SampleShape } from "../network/network.js";
import { describeInitialization, isRandomInitializer } from "../numerics/initial-values.js";
import type { ElementType } from "../numerics/values.js";
import type { ParameterAttributes } from "../ops/inputs.js";

/**
 * CNTK's line about a parameter that gets its first values once its shape is known, or undefined where CNTK prints
 * none (bilinear, values that are there already). The closing bracket follows the newline, as in CNTK.
 * Source: InputAndParamNodes.cpp, LazyInitParameters and InitRandom.
 */
export function initializationLine(
  name: string,
  {
    init,
    initValue,
    initValueScale,
    initFilterRank,
    initOutputRank,
    seed,
    initOnCPUOnly,
  }: ParameterAttributes,
  shape: SampleShape,
  elementType: ElementType,
): string | undefined {
  const head = `Node '${name}' (LearnableParameter operation): Initializing Parameter[${shape.join(" x ")}] <- `;
  if (isRandomInitializer(init)) {
    const { fanOut, fanIn, range } = describeInitialization({
      init,
      shape,
      initValueScale,
      filterRank: initFilterRank,
      outputRank: initOutputRank,
      elementType,
    });
    const factors = `${formatFixed(range / initValueScale, 6)}*${formatFixed(initValueScale, 6)}`;
    return (
      `${head}${init}(seed=${seed}, init dims=[${fanOut} x ${fanIn}], ` +
      `range=${formatFixed(range, 6)}(${factors}), onCPU=${initOnCPUOnly}.\n)`
    );
  }
  if (init !== "fromValue") return undefined;
  return `${head}${formatFixed(initValue, 6)}.\n`;
}
