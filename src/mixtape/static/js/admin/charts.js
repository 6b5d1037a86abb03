// Four charts over time, drawn by uPlot in the page's own colours.

/* global uPlot */

const HEIGHT = 180;
const MB = 1e6;
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500];
const SPAN_S = { hour: 3600, day: 86_400 };

// What is drawn: label, column, colour as a CSS variable, and whether the area below is filled.
const CHARTS = {
  plays: {
    series: [
      ["Cached", "hits", "--chart-1", true],
      ["Live", "live", "--chart-2"],
      ["Missed", "misses", "--chart-3"],
      ["Originals", "bypasses", "--chart-4"],
    ],
    unit: 1,
    digits: 1,
  },
  traffic: {
    series: [
      ["Sent", "sent_bytes", "--chart-1", true],
      ["Without the cache", "original_bytes", "--chart-3"],
    ],
    unit: MB,
    digits: 1,
  },
  cache: { series: [["Size", "cache_bytes", "--chart-1", true]], unit: MB, digits: 1 },
  encoders: { series: [["Running", "encoders", "--chart-2", true]], unit: 1, digits: 0 },
};

/** @param {HTMLElement} page @returns {(columns: any, span: string) => void} draws a history */
export function attachCharts(page) {
  const drawn = new Map();
  let latest;

  function draw() {
    if (!latest) return;
    const [columns, span] = latest;
    for (const figure of page.querySelectorAll("[data-chart]")) {
      const name = figure.dataset.chart;
      const isEmpty = columns.at_s.length === 0;
      figure.querySelector("[data-empty]").hidden = !isEmpty;
      if (isEmpty) continue;
      const data = [columns.at_s, ...CHARTS[name].series.map(([, column]) => inUnits(columns[column], name))];
      const chart = drawn.get(name) ?? make(figure, name, data);
      drawn.set(name, chart);
      chart.setData(data, false);
      const end = columns.at_s.at(-1);
      chart.setScale("x", { min: end - SPAN_S[span], max: end });
    }
  }

  // Canvas has no cascade: in other colours or another width, a chart is made anew.
  function redraw() {
    for (const chart of drawn.values()) chart.destroy();
    drawn.clear();
    draw();
  }
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  let width = 0;
  new ResizeObserver(([entry]) => {
    if (Math.abs(entry.contentRect.width - width) < 1) return;
    width = entry.contentRect.width;
    redraw();
  }).observe(page);

  return (columns, span) => {
    latest = [columns, span];
    draw();
  };
}

function inUnits(column, name) {
  const { unit } = CHARTS[name];
  return unit === 1 ? column : column.map((figure) => figure / unit);
}

function make(figure, name, data) {
  const canvas = figure.querySelector("[data-canvas]");
  const css = getComputedStyle(figure);
  const quiet = css.getPropertyValue("--mt-quiet").trim();
  const line = css.getPropertyValue("--mt-line").trim();
  const axis = {
    stroke: quiet,
    font: `12px ${css.fontFamily}`,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1, size: 4 },
  };
  const { series, digits } = CHARTS[name];
  const options = {
    width: canvas.clientWidth,
    height: HEIGHT,
    cursor: { drag: { x: false, y: false }, y: false },
    scales: { y: { range: (_chart, _least, most) => [0, niceTop(most, digits)] } },
    axes: [
      { ...axis, size: 32, values: (_chart, moments) => moments.map(clockText) },
      { ...axis, size: 52, incrs: digits ? undefined : WHOLE, values: (_chart, marks) => marks.map((mark) => mark.toLocaleString("en")) },
    ],
    series: [
      { label: "Time", value: (_chart, at) => (at === null ? "–" : clockText(at)) },
      ...series.map(([label, , variable, isFilled]) => lineOf(label, css.getPropertyValue(variable).trim(), isFilled, digits)),
    ],
  };
  return new uPlot(options, data, canvas);
}

function lineOf(label, colour, isFilled, digits) {
  return {
    label,
    stroke: colour,
    width: 2,
    fill: isFilled ? `${colour}2e` : undefined,
    points: { show: false },
    value: (_chart, figure) => (figure === null ? "–" : figure.toLocaleString("en", { maximumFractionDigits: digits })),
  };
}

/** @returns {number} the top of an axis, so that nothing touches it and "nothing" is not a line */
function niceTop(most, digits) {
  const least = digits ? 1 : 2;
  return most > 0 ? Math.max(most * 1.15, least) : least;
}

function clockText(at) {
  return new Date(at * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}
