// What is to be added: one track, or all of an album, an artist or a folder.

import { send } from "../shared/api.js";
import { readTrack, trackOf } from "../library/track-list.js";
import { translate } from "../shared/words.js";

/**
 * @typedef {object} Subject
 * @property {string} name
 * @property {string} note in small letters below the name
 * @property {string} cover its address
 * @property {boolean} isOne whether it is a single track
 * @property {import("../marks/stars.js").Subject} [id] what its star and rating are of; a folder has none
 * @property {() => Promise<import("../player/player.js").Track[]>} tracks
 */

/** @param {import("../player/player.js").Track} track @returns {Subject} */
export function subjectOfTrack(track) {
  const note = track.artist || translate("Unknown artist");
  return { name: track.title, note, cover: track.cover, isOne: true, id: idOf(track), tracks: async () => [track] };
}

/** @param {HTMLElement} source a row of a track, or what names the address of several as `data-tracks` @returns {Subject | null} */
export function subjectOf(source) {
  if (source.matches("[data-track]")) return subjectOfTrack(readTrack(source));
  const { tracks: url, name, note = "", cover = "", marks: id } = source.dataset;
  return url ? { name, note, cover, isOne: false, id, tracks: () => tracksAt(url) } : null;
}

/** @param {string} url @returns {Promise<import("../player/player.js").Track[]>} */
export async function tracksAt(url) {
  const { tracks } = await send("GET", url);
  return tracks.map((fields) => trackOf(fields));
}

/** @param {import("../player/player.js").Track} track @returns {number} its id in the library */
export function idOf(track) {
  return track.id || Number(track.key);
}
