// What was changed, in words: for the history, and for who hears the page.

import { translate } from "../shared/words.js";
import { SIDE_B } from "./tracks.js";

/**
 * @param {{kind: string, entry?: import("./tracks.js").PlacedTrack, index?: number}} detail of a change of the track order
 * @param {import("./tracks.js").TrackOrder} trackOrder after it
 * @returns {import("./history.js").Change | null} null for what is none of somebody's own
 */
export function changeOf({ kind, entry, index }, trackOrder) {
  if (["fill", "restore"].includes(kind)) return null;
  const { uid } = entry;
  if (entry === SIDE_B) return { uid, text: sideText(kind, index) };
  const { title } = entry;
  const { length: total } = trackOrder.tracks;
  const values = { title, place: trackOrder.tracks.indexOf(entry) + 1, total };
  if (kind === "add") return { uid, text: translate("Added %(title)s at place %(place)s of %(total)s.", values) };
  if (kind === "move") return { uid, text: translate("%(title)s is at place %(place)s of %(total)s.", values) };
  if (kind === "note") return { uid, part: `note.${uid}`, text: translate("Noted something on %(title)s.", values) };
  return { uid, text: translate("Removed %(title)s.", values) };
}

function sideText(kind, index) {
  if (kind === "remove") return translate("The mixtape has one side.");
  return translate("Side B begins after track %(index)s.", { index });
}

/** @param {string} name of a field @returns {import("./history.js").Change} */
export function changeOfField(name) {
  const texts = {
    title: translate("Changed the title."),
    notes: translate("Changed the notes."),
    sender: translate("Changed who it is from."),
    recipient: translate("Changed who it is for."),
    made_on: translate("Changed the date."),
  };
  return { part: `field.${name}`, text: texts[name] };
}
