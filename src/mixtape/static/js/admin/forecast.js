// What another size of the cache would give: asked for, waited for, and drawn.

/* global uPlot */

import { send } from "../shared/api.js";
import { count, size } from "../shared/format.js";
import { HEIGHT, axisOf, lineOf, redrawOnChange, variablesOf } from "./chart-style.js";
import { percent } from "./space.js";
import { plural, translate } from "../shared/words.js";

/**
 * @param {HTMLElement} page
 * @param {() => void} refresh asks for new figures
 * @returns {{show: (forecast: any) => void, isRunning: () => boolean}}
 */
export function attachForecast(page, refresh) {
  const part = (name) => page.querySelector(`[data-part=${name}]`);
  const button = part("forecast-begin");
  let latest = null;
  let chart;

  function draw() {
    chart?.destroy();
    const isDrawn = Boolean(latest?.rates.length);
    part("forecast-chart").hidden = !isDrawn;
    chart = isDrawn ? make(part("forecast-chart"), latest) : undefined;
  }

  function show(forecast) {
    const isRunning = Boolean(forecast && !forecast.ended_at_s);
    // Disabled, a button would lose the focus of who has just pressed it.
    button.setAttribute("aria-disabled", String(isRunning));
    button.textContent = isRunning ? translate("Working it out …") : forecast ? translate("Work it out again") : translate("Work it out");
    const bar = part("forecast-bar");
    bar.hidden = !isRunning;
    bar.max = forecast?.total || 1;
    if (forecast?.total) bar.value = forecast.done;
    else bar.removeAttribute("value");
    part("forecast-progress").hidden = !isRunning;
    part("forecast-progress").textContent = isRunning ? describeProgress(forecast) : "";
    const text = describe(forecast);
    if (part("forecast-text").textContent !== text) part("forecast-text").textContent = text;
    const isNew = forecast?.ended_at_s !== latest?.ended_at_s;
    latest = isRunning ? latest : forecast;
    if (isNew && !isRunning) draw();
  }

  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    try {
      show((await send("POST", page.dataset.forecast)).forecast);
    } catch (error) {
      part("forecast-text").textContent = error.message;
    }
    refresh();
  });
  redrawOnChange(page, draw);
  return { show, isRunning: () => button.getAttribute("aria-disabled") === "true" };
}

function describe(forecast) {
  if (!forecast?.ended_at_s) return "";
  if (forecast.error) return forecast.error;
  if (!forecast.plays) return translate("Nothing was played yet. Once it was, this shows how much of it caches of other sizes would have had.");
  const { cap_bytes, plays, rates } = forecast;
  const most = rates.at(-1);
  const now = rates.find(({ size_bytes }) => size_bytes === cap_bytes);
  const of = plural("Of %(num)s recorded play", "Of %(num)s recorded plays", plays, { num: count(plays) });
  const values = { of, most: inWords(most), now: now && inWords(now) };
  if (!now) return translate("%(of)s, a cache of %(most)s. There is no cap.", values);
  const isEnough = percent(now.plays) === percent(most.plays) && percent(now.bytes) === percent(most.bytes);
  if (isEnough) return translate("%(of)s, the present cap of %(now)s, and more room would not help.", values);
  return translate("%(of)s, the present cap of %(now)s; %(most)s.", values);
}

function describeProgress({ done, total }) {
  return total ? translate("Replaying the plays: %(share)s", { share: percent(done / total) }) : translate("Looking at what was played …");
}

function inWords({ size_bytes, plays, bytes }) {
  const values = { size: shortSize(size_bytes), plays: percent(plays), bytes: percent(bytes) };
  return translate("%(size)s would have had %(plays)s (%(bytes)s of the bytes)", values);
}

function make(figure, { rates, cap_bytes }) {
  const canvas = figure.querySelector("[data-canvas]");
  const variable = variablesOf(figure);
  const axis = axisOf(figure);
  const how = { digits: 1, unit: " %", points: true };
  const options = {
    width: canvas.clientWidth,
    height: HEIGHT + 40,
    cursor: { drag: { x: false, y: false }, y: false },
    scales: {
      x: { time: false, range: (_chart, _least, most) => [0, most] },
      y: { range: [0, 100] },
    },
    axes: [
      { ...axis, size: 32, space: 80, values: (_chart, marks) => marks.map(shortSize) },
      { ...axis, size: 52, values: (_chart, marks) => marks.map((mark) => `${mark} %`) },
    ],
    series: [
      { label: translate("Size"), value: (_chart, bytes) => (bytes === null ? "–" : shortSize(bytes)) },
      lineOf(translate("Plays"), variable("--chart-1"), { ...how, style: "filled" }),
      lineOf(translate("Bytes"), variable("--chart-2"), { ...how, style: "dashed" }),
    ],
    hooks: { draw: [(chart) => cap_bytes && markCap(chart, cap_bytes, variable)] },
  };
  // No room at all gives nothing, which needs no replay.
  const data = [
    [0, ...rates.map((rate) => rate.size_bytes)],
    ...["plays", "bytes"].map((by) => [0, ...rates.map((rate) => 100 * rate[by])]),
  ];
  return new uPlot(options, data, canvas);
}

/** Draw the present cap as a line with its name beside it, on the side that has room. */
function markCap(chart, capBytes, variable) {
  const { ctx, bbox } = chart;
  const x = Math.round(chart.valToPos(capBytes, "x", true));
  const isLeft = x < bbox.left + bbox.width / 2;
  const ratio = window.devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = variable("--bs-body-color");
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.font = `600 ${12 * ratio}px ${getComputedStyle(chart.root).fontFamily}`;
  ctx.textAlign = isLeft ? "left" : "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(translate("cap %(size)s", { size: shortSize(capBytes) }), x + (isLeft ? 6 : -6) * ratio, bbox.top + bbox.height - 6 * ratio);
  ctx.restore();
}

/** @returns {string} "50 MB", with no more digits than it needs */
function shortSize(bytes) {
  return bytes ? size(bytes).replace(/[.,]0+ |([.,]\d*[1-9])0+ /, "$1 ") : "0";
}
