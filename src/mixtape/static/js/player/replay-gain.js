// ReplayGain: how much softer or louder a track has to be to be as loud as others.

import { recall, remember } from "../shared/storage.js";

export const MODES = ["off", "track", "album"];
const KEY = "replay-gain";

/** @returns {string} the mode chosen on an earlier visit */
export function recallMode() {
  const mode = recall(KEY, MODES[0]);
  return MODES.includes(mode) ? mode : MODES[0];
}

/** @param {string} mode */
export function rememberMode(mode) {
  remember(KEY, mode);
}

/**
 * @param {{gain?: {track: [number | null, number | null], album: [number | null, number | null]}}} track
 *   with decibels and peak of the track and of its album, null where no tag says
 * @param {string} mode
 * @returns {number} factor of the amplitude, never so large that the peak would clip
 */
export function replayGain({ gain }, mode) {
  if (mode === "off" || !gain) return 1;
  const both = [gain.track, gain.album];
  // Where only one of the two was measured, it stands in for the other.
  if (mode === "album") both.reverse();
  const [decibels, peak] = both.find(([value]) => value !== null) ?? [null, null];
  if (decibels === null) return 1;
  const factor = 10 ** (decibels / 20);
  return peak > 0 ? Math.min(factor, 1 / peak) : Math.min(factor, 1);
}
