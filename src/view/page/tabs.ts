import type { LoggedTraining } from "../../log/training-curves.js";
import { criterionChart, rateChart, sparkline, speedChart } from "./charts.js";
import { make, shortNumber } from "./elements.js";
import type { Item, NetworkTree } from "./network-tree.js";

/** All parameters as a table, the largest first; a click shows one of them in the graph. */
export function showParameters(host: HTMLElement, tree: NetworkTree, onSelect: (item: Item) => void): void {
  const heads = ["parameter", "shape", "values", "mean", "deviation", "least", "largest", "histogram", ""];
  const sorted = [...tree.data.parameters].sort((a, b) => b.statistics.count - a.statistics.count);
  const rows = sorted.map(({ node, statistics, learned }) => {
    const { name, shape } = tree.node(node);
    const { count, mean, deviation, least, largest, notFinite } = statistics;
    const link = make(
      "button",
      { className: "link", onclick: () => onSelect({ kind: "node", index: node }) },
      name,
    );
    const numbers = [count, mean, deviation, least, largest].map((value) =>
      make("td", { className: "number" }, shortNumber(value)),
    );
    const remark = [learned ? "" : "not learned", notFinite > 0 ? `${notFinite} not finite` : ""].filter(
      (text) => text !== "",
    );
    return make(
      "tr",
      {},
      make("td", {}, link),
      make("td", {}, shape),
      ...numbers,
      make("td", {}, sparkline(statistics)),
      make("td", {}, remark.join(", ")),
    );
  });
  host.replaceChildren(
    make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", {}, head)))),
      make("tbody", {}, ...rows),
    ),
  );
}

/** The curves of each training in the log. */
export function showTrainings(host: HTMLElement, { data }: NetworkTree): void {
  host.replaceChildren();
  data.trainings.forEach((training, index) => {
    const { criteria, epochs } = training;
    if (data.trainings.length > 1)
      host.append(make("h2", {}, `Training ${index + 1}: ${criteria.join(", ")}, ${epochs.length} epochs`));
    const charts = make("div", { className: "charts" });
    host.append(charts);
    // All have their places before one is drawn: their widths depend on each other.
    const drawings = chartsOf(training);
    const places = drawings.map(() => make("div", { className: "chart" }));
    charts.append(...places);
    drawings.forEach((draw, at) => draw(places[at] as HTMLElement));
  });
}

function chartsOf(training: LoggedTraining): ((place: HTMLElement) => void)[] {
  const { criteria, minibatches, learningRates } = training;
  const charts = criteria.map(
    (_, criterion) => (place: HTMLElement) => criterionChart(place, training, criterion),
  );
  if (learningRates.length > 1) charts.push((place) => rateChart(place, training));
  if (minibatches.some(({ samplesPerSecond }) => samplesPerSecond !== undefined))
    charts.push((place) => speedChart(place, training));
  return charts;
}
