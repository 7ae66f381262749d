import { type Emission, noCounterpart, reversed } from "./emission.js";
import { integer, integers } from "./graph.js";
import type { OperationRules } from "./rules.js";
import { elementTypes } from "./schema.js";

/** Regions of images. */
export const regionRules: OperationRules = {
  /** Corners [4 x R] of each sample become a list of all regions, each behind the number of its sample. */
  ROIPooling(node, emission) {
    const [x, regions] = [emission.input(node, 0), emission.input(node, 1)];
    const { name } = node;
    if (emission.leads(x) !== 1 || emission.leads(regions) !== 1)
      throw noCounterpart(node, "in sequences, or of what has no samples");
    const { featureScale } = emission.facts(node).attributes;
    const [width = 1, height = 1, channels = 1, count = 1] = emission.shape(node);
    const corners = emission.reshape(emission.tensor(regions), [count, 4], 1, `${name}/corners`);
    const numbers = sampleNumbers(emission, emission.tensor(x), count, name);
    const listed = emission.add("Concat", [numbers, corners], `${name}/listed`, { axis: integer(-1) });
    const list = emission.reshape(listed, [-1, 5], 0, `${name}/list`);
    const pooled = emission.add("MaxRoiPool", [emission.tensor(x), list], `${name}/pooled`, {
      pooled_shape: integers([height, width]),
      spatial_scale: { kind: "f", value: Number(featureScale) },
    });
    const whole = [-1, ...reversed([width, height, channels, count])];
    return emission.add("Reshape", [pooled, emission.graph.numbers(`${name}/whole`, whole)], name);
  },
};

/** [N, count, 1]: the number of each sample, for each of its regions. */
function sampleNumbers(emission: Emission, images: string, count: number, name: string): string {
  const { graph } = emission;
  const shape = emission.add("Shape", [images], `${name}/of`);
  const [zero, one] = [graph.numbers(`${name}/zero`, [0]), graph.numbers(`${name}/one`, [1])];
  const samples = emission.add("Slice", [shape, zero, one], `${name}/samples`);
  const single = (tensor: string, what: string): string =>
    emission.add("Squeeze", [tensor, zero], `${name}/${what}`);
  const range = [single(zero, "first"), single(samples, "count"), single(one, "step")];
  const to = integer(elementTypes[emission.elementType]);
  const numbers = emission.add("Cast", [emission.add("Range", range, `${name}/range`)], `${name}/numbers`, {
    to,
  });
  const column = emission.reshape(numbers, [-1, 1, 1], 0, `${name}/column`);
  const each = graph.numbers(`${name}/each`, [1, count, 1]);
  return emission.add("Expand", [column, each], `${name}/number`);
}
