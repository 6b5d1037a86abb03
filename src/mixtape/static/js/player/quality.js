// Which quality a track is asked for, and why that can differ from the one that was chosen.

import { ENCODED, QUALITIES } from "../shared/qualities.js";
import { recall, remember } from "../shared/storage.js";
import { translate } from "../shared/words.js";

/** The choice that follows the connection. */
export const AUTO = "auto";
const CHOICES = [AUTO, ...QUALITIES.map(({ name }) => name)];
const KEY = "quality";

/** @param {string} fallback @returns {string} the quality chosen on an earlier visit */
export function recallQuality(fallback) {
  const quality = recall(KEY, fallback);
  return CHOICES.includes(quality) ? quality : fallback;
}

/** @param {string} quality */
export function rememberQuality(quality) {
  remember(KEY, quality);
}

/**
 * Decide what to ask the server for.
 *
 * @param {{lossless: boolean, mime: string, format: string, isUnplayable?: boolean, isDamaged?: boolean}} track
 * @param {string} wanted the chosen quality, not AUTO
 * @param {(mime: string) => string} canPlayType the browser's own verdict on a format
 * @returns {{quality: string, note: string}} the note is for the listener, "" if all is as chosen
 */
export function decideQuality(track, wanted, canPlayType) {
  if (!track.lossless) return { quality: "original", note: "" };
  // canPlayType is a guess: isUnplayable says that it was tried, in vain.
  const canPlay = !track.isUnplayable && canPlayType(track.mime);
  if (wanted !== "original" || canPlay) return { quality: wanted, note: "" };
  const [format] = track.format.split(" ");
  const [best] = ENCODED;
  const values = { format, quality: best.label };
  const note = track.isDamaged
    ? translate("The original is damaged, so you hear %(quality)s instead.", values)
    : translate("This browser cannot play %(format)s, so you hear %(quality)s instead.", values);
  return { quality: best.name, note };
}

/** @param {string} url of the track, without a quality @param {string} quality @returns {string} */
export function urlAt(url, quality) {
  return `${url}?quality=${quality}`;
}
