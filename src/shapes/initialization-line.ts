import type { Attributes, SampleShape } from "../network/network.js";
import { describeInitialization, isRandomInitializer } from "../numerics/initial-values.js";

/**
 * CNTK's line about a parameter that gets its first values once its shape is known, or undefined where CNTK prints
 * none (bilinear, values that are there already). The closing bracket follows the newline, as in CNTK.
 * Source: InputAndParamNodes.cpp, LazyInitParameters and InitRandom.
 */
export function initializationLine(
  name: string,
  attributes: Attributes,
  shape: SampleShape,
  elementType: "float" | "double",
): string | undefined {
  const number = (key: string, fallback: number) => {
    const value = attributes[key];
    return typeof value === "number" ? value : fallback;
  };
  const init = String(attributes["init"] ?? "");
  const head = `Node '${name}' (LearnableParameter operation): Initializing Parameter[${shape.join(" x ")}] <- `;
  if (isRandomInitializer(init)) {
    const scale = number("initValueScale", 1);
    const { fanOut, fanIn, range } = describeInitialization({
      init,
      shape,
      initValueScale: scale,
      filterRank: number("initFilterRank", 0),
      outputRank: number("initOutputRank", 1),
      elementType,
    });
    const seed = number("seed", 0);
    const onCpu = attributes["initOnCPUOnly"] === false ? "false" : "true";
    return (
      `${head}${init}(seed=${seed}, init dims=[${fanOut} x ${fanIn}], ` +
      `range=${range.toFixed(6)}(${(range / scale).toFixed(6)}*${scale.toFixed(6)}), onCPU=${onCpu}.\n)`
    );
  }
  if (init !== "fromValue") return undefined;
  return `${head}${number("value", number("initValue", 0)).toFixed(6)}.\n`;
}
