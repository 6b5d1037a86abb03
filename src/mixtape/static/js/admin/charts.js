// Charts over time, drawn by uPlot in the page's own colours.

/* global uPlot */

import { HEIGHT, axisOf, lineOf, redrawOnChange, variablesOf } from "./chart-style.js";
import { translate } from "../shared/words.js";

const MB = 1e6;
const PERCENT = 0.01;
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500];
const SPAN_S = { hour: 3600, day: 86_400 };
const RATES_OF = { hour: `% ${translate("of ten minutes")}`, day: `% ${translate("of an hour")}` };

// What is drawn: label, column, colour as a CSS variable, and the style of the line.
const CHARTS = {
  plays: {
    series: [
      [translate("Cached"), "hits", "--chart-1", "filled"],
      [translate("Live"), "live", "--chart-2"],
      [translate("Missed"), "misses", "--chart-3"],
      [translate("Originals"), "bypasses", "--chart-4"],
    ],
    unit: 1,
    digits: 1,
  },
  rate: {
    series: [
      [translate("By plays"), "hit_rate", "--chart-1"],
      [translate("By bytes"), "hit_rate_bytes", "--chart-2", "dashed"],
    ],
    unit: PERCENT,
    digits: 0,
    top: 100,
  },
  traffic: {
    series: [
      [translate("Sent"), "sent_bytes", "--chart-1", "filled"],
      [translate("Without the cache"), "original_bytes", "--chart-3"],
      [translate("Downloads"), "download_bytes", "--chart-4", "dashed"],
    ],
    unit: MB,
    digits: 1,
  },
  evicted: { series: [[translate("Evicted"), "evicted_bytes", "--chart-3", "filled"]], unit: MB, digits: 1 },
  cache: {
    series: [
      [translate("Used"), "used_bytes", "--chart-1", "filled"],
      [translate("Pinned"), "pinned_bytes", "--chart-4"],
      [translate("Cap"), "cap_bytes", "--chart-3", "dashed"],
    ],
    unit: MB,
    digits: 1,
  },
  encoders: { series: [[translate("Running"), "encoders", "--chart-2", "filled"]], unit: 1, digits: 0 },
};

/** @param {HTMLElement} page @returns {(columns: any, span: string) => void} draws a history */
export function attachCharts(page) {
  const drawn = new Map();
  let latest;

  function draw() {
    if (!latest) return;
    const [columns, span] = latest;
    page.querySelector("[data-part=rate-unit]").textContent = RATES_OF[span];
    for (const figure of page.querySelectorAll("[data-chart]")) {
      const name = figure.dataset.chart;
      // Without a cap there is no line for it, and without plays no rate at all.
      const series = CHARTS[name].series.filter(([, column]) => columns[column].some((value) => value !== null));
      const isEmpty = series.length === 0;
      tellWhyEmpty(figure, isEmpty, columns.at_s.length > 0);
      if (isEmpty) continue;
      const data = [columns.at_s, ...series.map(([, column]) => inUnits(columns[column], name))];
      const chart = drawn.get(name) ?? make(figure, name, series, data);
      drawn.set(name, chart);
      chart.setData(data, false);
      const end = columns.at_s.at(-1);
      chart.setScale("x", { min: end - SPAN_S[span], max: end });
    }
  }

  redrawOnChange(page, () => {
    for (const chart of drawn.values()) chart.destroy();
    drawn.clear();
    draw();
  });

  return (columns, span) => {
    latest = [columns, span];
    draw();
  };
}

function tellWhyEmpty(figure, isEmpty, isWatched) {
  const reason = figure.querySelector("[data-empty]");
  figure.querySelector("[data-canvas]").hidden = isEmpty;
  reason.hidden = !isEmpty;
  if (isEmpty && isWatched) reason.textContent = translate("Nothing was asked of the cache in this time.");
}

function inUnits(column, name) {
  const { unit } = CHARTS[name];
  return unit === 1 ? column : column.map((figure) => (figure === null ? null : figure / unit));
}

function make(figure, name, series, data) {
  const canvas = figure.querySelector("[data-canvas]");
  const variable = variablesOf(figure);
  const axis = axisOf(figure);
  const { digits, top } = CHARTS[name];
  const options = {
    width: canvas.clientWidth,
    height: HEIGHT,
    cursor: { drag: { x: false, y: false }, y: false },
    scales: { y: { range: (_chart, _least, most) => [0, top ?? niceTop(most, digits)] } },
    axes: [
      { ...axis, size: 32, values: (_chart, moments) => moments.map(clockText) },
      { ...axis, size: 52, incrs: digits || top ? undefined : WHOLE, values: (_chart, marks) => marks.map((mark) => mark.toLocaleString(document.documentElement.lang)) },
    ],
    series: [
      { label: translate("Time"), value: (_chart, at) => (at === null ? "–" : clockText(at)) },
      ...series.map(([label, , colour, style]) => lineOf(label, variable(colour), { style, digits, unit: top ? " %" : "" })),
    ],
  };
  return new uPlot(options, data, canvas);
}

/** @returns {number} the top of an axis, so that nothing touches it and "nothing" is not a line */
function niceTop(most, digits) {
  const least = digits ? 1 : 2;
  return most > 0 ? Math.max(most * 1.15, least) : least;
}

function clockText(at) {
  return new Date(at * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}
