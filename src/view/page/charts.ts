import uPlot from "uplot";
import type { LoggedPoint, LoggedTraining } from "../../log/training-curves.js";
import type { ValueStatistics } from "../view-data.js";
import { shortNumber, themeColour } from "./elements.js";

const font = "12px system-ui, sans-serif";

function axis(label?: string): uPlot.Axis {
  return {
    font,
    stroke: themeColour("text"),
    grid: { stroke: themeColour("line"), width: 1 },
    ticks: { stroke: themeColour("line"), width: 1 },
    ...(label === undefined ? {} : { label, labelFont: font, labelSize: 20 }),
  };
}

/** How many values lie where. */
export function histogramChart(host: HTMLElement, { histogram, least, largest }: ValueStatistics): void {
  const width = largest > least ? (largest - least) / histogram.length : 1;
  const first = largest > least ? least + width / 2 : least;
  const middles = histogram.map((_, interval) => first + interval * width);
  const bars = uPlot.paths.bars?.({ size: [0.92, 100], align: 0 });
  new uPlot(
    {
      width: host.clientWidth || 320,
      height: 180,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range: [middles[0]! - width / 2, middles.at(-1)! + width / 2] } },
      axes: [axis(), { ...axis(), size: 56 }],
      series: [
        {},
        {
          label: "values",
          fill: themeColour("accent"),
          stroke: themeColour("accent"),
          width: 0,
          ...(bars ? { paths: bars } : {}),
          points: { show: false },
        },
      ],
    },
    [middles, [...histogram]],
    host,
  );
}

/** The curve of one criterion: minibatches, epochs and validations. */
export function criterionChart(host: HTMLElement, training: LoggedTraining, criterion: number): void {
  const name = training.criteria[criterion] ?? "";
  const unit = training.percentages.includes(name) ? " (%)" : "";
  const column = (points: readonly LoggedPoint[]): uPlot.AlignedData => [
    points.map(({ at }) => at),
    points.map(({ values }) => values[criterion] ?? null),
  ];
  const curves: {
    readonly label: string;
    readonly points: readonly LoggedPoint[];
    readonly series: uPlot.Series;
  }[] = [
    {
      label: "minibatches",
      points: training.minibatches,
      series: { stroke: themeColour("faint"), width: 1 },
    },
    {
      label: "epochs",
      points: training.epochs,
      series: { stroke: themeColour("accent"), width: 2, points: { show: true, size: 6 } },
    },
    {
      label: "validation",
      points: training.validations,
      series: { stroke: themeColour("second"), width: 2, dash: [6, 4], points: { show: true, size: 6 } },
    },
  ];
  const present = curves.filter(({ points }) => points.some(({ values }) => values[criterion] != null));
  lines(
    host,
    `${name}${unit}`,
    present.map(({ label, points, series }) => ({ label, data: column(points), series })),
  );
}

/** Learning rates of the epochs. */
export function rateChart(host: HTMLElement, { learningRates }: LoggedTraining): void {
  const data: uPlot.AlignedData = [
    learningRates.map(([epoch]) => epoch),
    learningRates.map(([, rate]) => rate),
  ];
  const series = { stroke: themeColour("accent"), width: 2, points: { show: true, size: 6 } };
  lines(host, "learning rate per sample", [{ label: "rate", data, series }]);
}

/** Speed between the lines of minibatches. */
export function speedChart(host: HTMLElement, { minibatches }: LoggedTraining): void {
  const timed = minibatches.filter(({ samplesPerSecond }) => samplesPerSecond !== undefined);
  const data: uPlot.AlignedData = [
    timed.map(({ at }) => at),
    timed.map(({ samplesPerSecond }) => samplesPerSecond ?? null),
  ];
  lines(host, "samples per second", [
    { label: "speed", data, series: { stroke: themeColour("accent"), width: 1 } },
  ]);
}

interface Curve {
  readonly label: string;
  readonly data: uPlot.AlignedData;
  readonly series: uPlot.Series;
}

function lines(host: HTMLElement, title: string, curves: readonly Curve[]): void {
  if (curves.length === 0) return;
  const value = (_: uPlot, raw: number | null): string => (raw === null ? "–" : shortNumber(raw));
  new uPlot(
    {
      title,
      width: host.clientWidth || 600,
      height: 280,
      scales: { x: { time: false } },
      axes: [axis("epochs"), { ...axis(), size: 64 }],
      series: [
        { label: "epoch", value },
        ...curves.map(({ label, series }) => ({ label, value, spanGaps: true, ...series })),
      ],
    },
    uPlot.join(curves.map(({ data }) => data)),
    host,
  );
}

/** A histogram as small as a word. */
export function sparkline({ histogram }: ValueStatistics): SVGSVGElement {
  const namespace = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(namespace, "svg");
  const [width, height] = [100, 24];
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  drawing.setAttribute("class", "sparkline");
  const most = Math.max(1, ...histogram);
  const step = width / Math.max(1, histogram.length);
  const bars = document.createElementNS(namespace, "path");
  const path = histogram.map((count, bar) => {
    const tall = (count / most) * height;
    return `M${(bar * step).toFixed(2)} ${height}v${(-tall).toFixed(2)}h${(step * 0.9).toFixed(2)}V${height}z`;
  });
  bars.setAttribute("d", path.join(""));
  drawing.append(bars);
  return drawing;
}
