// What of a mixtape the editor changes, in its two shapes: as this browser keeps it and shows it, and
// as the server takes it.

/** The fields of the form, by their ids, which are their names everywhere. */
export const FIELDS = ["title", "notes", "sender", "recipient", "made_on"];

/**
 * @typedef {object} Kept
 * @property {string | null} cover_key
 * @property {string | null} cover_url
 * @property {number | null} side_b how many tracks are before side B
 * @property {(import("../library/track-row.js").FoundTrack & {note?: string})[]} tracks
 */

/** @param {Kept} kept @returns {object} what the server takes */
export function sentOf(kept) {
  const texts = Object.fromEntries(FIELDS.map((name) => [name, kept[name] ?? ""]));
  return {
    ...texts,
    made_on: kept.made_on || null,
    cover_key: kept.cover_key,
    track_ids: kept.tracks.map(({ id }) => id),
    track_notes: kept.tracks.map(({ note }) => note ?? ""),
    side_b: kept.side_b ?? null,
  };
}

/** @param {object} sent @returns {string} the same for the same state */
export function textOf(sent) {
  return JSON.stringify(sent);
}

/** @param {Kept} one @param {Kept} other @returns {boolean} */
export function isSame(one, other) {
  return textOf(sentOf(one)) === textOf(sentOf(other));
}
