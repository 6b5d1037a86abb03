// How long the sides are, and on which cassette they would fit.

import { clock } from "../shared/format.js";
import { translate } from "../shared/words.js";

// Minutes of both sides, as they are called.
const TAPES = [60, 90, 120];

/** @param {(name: string) => HTMLElement} part of the editor @param {import("./tracks.js").TrackOrder} trackOrder */
export function showSides(part, trackOrder) {
  const lengths = trackOrder.sideLengths;
  const hasSides = trackOrder.sideB !== null;
  part("side-a").hidden = !hasSides;
  if (hasSides) {
    part("side-a").textContent = translate("Side A · %(length)s", { length: clock(lengths[0]) });
    part("side-b").textContent = translate("Side B · %(length)s", { length: clock(lengths[1]) });
  }
  part("split").hidden = hasSides || trackOrder.tracks.length < 2;
  part("tape").textContent = trackOrder.tracks.length ? tapeText(lengths) : "";
}

/** @param {number[]} lengths of one side or two, in seconds @returns {string} */
export function tapeText(lengths) {
  const longest = Math.max(...lengths);
  const fits = TAPES.find((minutes) => longest <= minutes * 30);
  if (lengths.length === 1) {
    return fits ? translate("Fits on one side of a C%(tape)s.", { tape: fits }) : translate("Longer than one side of any cassette: make two sides.");
  }
  const name = lengths[0] === longest ? "A" : "B";
  if (fits === TAPES[0]) return translate("Fits on a C%(tape)s, with %(left)s left on side %(name)s.", { tape: fits, left: clock(fits * 30 - longest), name });
  const shorter = fits ? TAPES[TAPES.indexOf(fits) - 1] : TAPES.at(-1);
  const values = { tape: fits, name, shorter, over: clock(longest - shorter * 30) };
  if (!fits) return translate("Side %(name)s is %(over)s too long for a C%(shorter)s.", values);
  return translate("Side %(name)s is %(over)s too long for a C%(shorter)s; it fits on a C%(tape)s.", values);
}
