import { CntkError } from "../diagnostics/diagnostic.js";
import type { RunLog } from "../log/run-log.js";
import { formatExponential } from "../numerics/number-format.js";
import type { Values } from "../numerics/values.js";

/** A training's parameters and its criterion, to try other values. */
export interface GradientProbe {
  /** Trained parameters by name, and the state that holds the gradient of each. */
  readonly parameters: readonly { readonly name: string; readonly gradient: string }[];
  read(names: readonly string[]): Promise<ReadonlyMap<string, Values>>;
  write(values: ReadonlyMap<string, Values>): Promise<void>;
  /** The criterion's sum over the minibatch; the gradients are in their states then. */
  criterion(): Promise<number>;
}

/** Elements of a parameter that are looked at, and how far each is moved. */
const mostElements = 50;
const step = 1e-5;

/**
 * `gradientcheck`: compares gradients with differences of the criterion, parameter by parameter. Of a large parameter it takes
 * elements at equal distances; CNTK draws them by chance.
 * @throws CntkError `gradient-check` when one of them is off by more than the `digits` allow (SGDLib/SGD.cpp, GradientCheck).
 */
export async function checkGradients(probe: GradientProbe, digits: number, log: RunLog): Promise<void> {
  let wrong = 0;
  for (const parameter of new Map(probe.parameters.map((known) => [known.name, known])).values()) {
    wrong += await checkParameter(probe, parameter, digits, log);
  }
  if (wrong === 0) return;
  throw new CntkError({
    code: "gradient-check",
    message: "cannot pass gradient checker",
    hint: `${wrong} gradients differ from the differences of the criterion (see the log); at a kink, as of RectifiedLinear, they may`,
  });
}

async function checkParameter(
  probe: GradientProbe,
  { name, gradient }: GradientProbe["parameters"][number],
  digits: number,
  log: RunLog,
): Promise<number> {
  const original = (await probe.read([name])).get(name) ?? new Float64Array();
  await probe.criterion();
  const gradients = (await probe.read([gradient])).get(gradient) ?? new Float64Array();
  const tries = Math.min(mostElements, original.length);
  let wrong = 0;
  const at = async (index: number, value: number): Promise<number> => {
    const moved = original.slice();
    moved[index] = value;
    await probe.write(new Map([[name, moved]]));
    return probe.criterion();
  };
  for (let k = 0; k < tries; k++) {
    const index = Math.floor((k * original.length) / tries);
    const value = original[index] ?? 0;
    log.write("\n");
    log.stamped(`###### d${name}######\n`);
    const numeric = ((await at(index, value + step)) - (await at(index, value - step))) / (2 * step);
    const found = gradients[index] ?? 0;
    if (agree(found, numeric, digits)) continue;
    wrong++;
    const figures = `${formatExponential(numeric, 6)}, Error BP gradient = ${formatExponential(found, 6)}`;
    log.write("\n");
    log.stamped(`d${name} Numeric gradient = ${figures}\n`);
  }
  await probe.write(new Map([[name, original]]));
  return wrong;
}

/** Equal to so many digits, those before the point of the smaller one included; NaN never is. */
function agree(a: number, b: number, digits: number): boolean {
  const magnitude = Math.ceil(Math.log10(Math.min(Math.abs(a), Math.abs(b))));
  return Math.abs(a - b) <= Math.pow(10, Math.max(0, magnitude) - Math.trunc(digits));
}
