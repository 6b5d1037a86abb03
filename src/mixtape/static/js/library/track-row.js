// Rows of tracks that a script makes, from the templates on the page.

import { clock, size } from "../shared/format.js";
import { labelOfStar } from "../marks/star-buttons.js";
import { translate } from "../shared/words.js";
import { labelOfPlay } from "./track-list.js";

/**
 * @typedef {object} FoundTrack
 * @property {number} id
 * @property {string} title
 * @property {string} artist
 * @property {string} album
 * @property {number} duration in seconds
 * @property {number} size in bytes
 * @property {Record<string, number>} sizes in bytes, by quality
 * @property {string} format
 * @property {string} mime
 * @property {boolean} lossless
 * @property {string} url
 * @property {string} cover
 * @property {{track: Array, album: Array} | null} gain see player/replay-gain.js
 * @property {string} album_url
 * @property {string | null} problem
 * @property {string} damage what is wrong with the file, "" for nothing
 */

/** @param {string} templateId @param {FoundTrack} track @param {string} key @returns {HTMLElement} */
export function makeRow(templateId, track, key = String(track.id)) {
  const row = document.getElementById(templateId).content.firstElementChild.cloneNode(true);
  const { url, cover, title, artist, album, duration, format, mime, lossless } = track;
  Object.assign(row.dataset, { track: "", key, url, cover, title, artist, album, duration, format, mime, lossless, size: track.size });
  Object.assign(row.dataset, { id: track.id, albumUrl: track.album_url ?? "" });
  if (track.gain) row.dataset.gain = JSON.stringify(track.gain);
  const by = artist || translate("Unknown artist");
  fill(row, ".track-title", title);
  fill(row, ".track-artist", track.problem ?? (album ? `${by} · ${album}` : by));
  fill(row, ".track-damage", track.damage);
  fill(row, ".tag", format);
  fill(row, ".track-size", size(track.size));
  fill(row, ".track-time", clock(duration));
  row.querySelector("[data-play]").setAttribute("aria-label", labelOfPlay(track));
  row.querySelector("[data-add]")?.setAttribute("aria-label", translate("Add “%(name)s” to a mixtape", { name: title }));
  row.querySelector("[data-star]")?.setAttribute("aria-label", labelOfStar(title));
  const image = row.querySelector(".track-cover");
  if (image) image.src = cover;
  if (track.problem) markBroken(row);
  return row;
}

function markBroken(row) {
  row.classList.add("is-broken");
  row.removeAttribute("data-track");
  row.querySelector("[data-play]").disabled = true;
  for (const button of row.querySelectorAll("[data-add], [data-star]")) button.remove();
}

function fill(row, selector, text) {
  const element = row.querySelector(selector);
  if (element) element.textContent = text;
}
