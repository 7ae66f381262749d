import type { Values } from "../numerics/values.js";
import type { ValueStatistics } from "./view-data.js";

const mostIntervals = 40;

/** Where values lie, and how many where. */
export function valueStatistics(values: Values): ValueStatistics {
  let [least, largest, sum, finite] = [Infinity, -Infinity, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    finite++;
    sum += value;
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  const notFinite = values.length - finite;
  const count = values.length;
  if (finite === 0) return { count, notFinite, least: 0, largest: 0, mean: 0, deviation: 0, histogram: [] };
  const mean = sum / finite;
  const intervals = largest > least ? Math.min(mostIntervals, Math.max(5, Math.ceil(Math.sqrt(finite)))) : 1;
  const histogram = new Array<number>(intervals).fill(0);
  const perUnit = largest > least ? intervals / (largest - least) : 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    squares += (value - mean) * (value - mean);
    // The largest value belongs to the last interval.
    const interval = Math.min(intervals - 1, Math.floor((value - least) * perUnit));
    histogram[interval] = (histogram[interval] ?? 0) + 1;
  }
  return { count, notFinite, least, largest, mean, deviation: Math.sqrt(squares / finite), histogram };
}
