// Which quality a track is asked for, and why that can differ from the one that was chosen.

import { recall, remember } from "./storage.js";

export const QUALITIES = ["high", "medium", "low", "original"];
const KEY = "quality";

/** @param {string} fallback @returns {string} the quality chosen on an earlier visit */
export function recallQuality(fallback) {
  const quality = recall(KEY, fallback);
  return QUALITIES.includes(quality) ? quality : fallback;
}

/** @param {string} quality */
export function rememberQuality(quality) {
  remember(KEY, quality);
}

/**
 * Decide what to ask the server for.
 *
 * @param {{lossless: boolean, mime: string, format: string}} track
 * @param {string} wanted the chosen quality
 * @param {(mime: string) => string} canPlayType the browser's own verdict on a format
 * @returns {{quality: string, note: string}} the note is for the listener, "" if all is as chosen
 */
export function decideQuality(track, wanted, canPlayType) {
  if (!track.lossless) return { quality: "original", note: "" };
  if (wanted !== "original" || canPlayType(track.mime)) return { quality: wanted, note: "" };
  const [name] = track.format.split(" ");
  return { quality: "high", note: `This browser cannot play ${name}, so you hear High instead.` };
}

/** @param {string} url of the track, without a quality @param {string} quality @returns {string} */
export function urlAt(url, quality) {
  return `${url}?quality=${quality}`;
}
