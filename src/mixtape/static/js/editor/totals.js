// How long the tape plays and what it weighs at each quality.

import { size } from "../shared/format.js";
import { QUALITIES } from "../shared/qualities.js";

/** @param {HTMLElement} line @param {import("./tracks.js").Tape} tape */
export function showTotals(line, tape) {
  const { length } = tape.tracks;
  const { duration, sizes } = tape.totals;
  const parts = [`${length} track${length === 1 ? "" : "s"}`, inWords(duration)];
  const words = length ? [...parts, ...QUALITIES.map(({ name, label }) => `${label} ${size(sizes[name])}`)] : [];
  line.replaceChildren(...words.map((text) => Object.assign(document.createElement("span"), { textContent: text })));
}

/** @param {number} seconds @returns {string} "42 s", "4 min", "1 h 12 min" */
function inWords(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes} min`;
}
