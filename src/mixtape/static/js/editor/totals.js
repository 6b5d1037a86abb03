// How long the mixtape plays and what it weighs at each quality.

import { size } from "../shared/format.js";
import { QUALITIES } from "../shared/qualities.js";
import { plural, translate } from "../shared/words.js";

/** @param {HTMLElement} line @param {import("./tracks.js").TrackOrder} trackOrder */
export function showTotals(line, trackOrder) {
  const { length } = trackOrder.tracks;
  const { duration, sizes } = trackOrder.totals;
  const parts = [plural("%(num)s track", "%(num)s tracks", length), describe(duration)];
  const facts = length ? [...parts, ...QUALITIES.map(({ name, label }) => `${label} ${size(sizes[name])}`)] : [];
  line.replaceChildren(...facts.map((text) => Object.assign(document.createElement("span"), { textContent: text })));
}

/** @param {number} seconds @returns {string} "42 s", "4 min", "1 h 12 min" */
function describe(seconds) {
  if (seconds < 60) return translate("%(seconds)s s", { seconds: Math.round(seconds) });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return translate("%(minutes)s min", { minutes });
  return translate("%(hours)s h %(minutes)s min", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}
