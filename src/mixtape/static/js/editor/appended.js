// Tracks that were added to a mixtape elsewhere while it is open in an editor.

import { hearAdditions } from "../add/targets.js";

/** @typedef {{title: string, notes: string, cover_key: string | null, track_ids: number[]}} State */

// What the server tells of a draft beside what was typed.
const BESIDE = new Set(["key", "slug", "revision", "base_revision", "url", "cover_url", "tracks"]);

/** @param {object} stored a draft as the server sends it @returns {State} */
export function stateOf(stored) {
  const typed = Object.entries(stored).filter(([name]) => !BESIDE.has(name));
  return { ...Object.fromEntries(typed), track_ids: stored.tracks.map(({ id }) => id) };
}

/**
 * Return how many tracks were put behind those of before, where that is all that has changed.
 *
 * @param {State} before
 * @param {State} now
 * @returns {number} 0 where something else has changed too, or nothing
 */
export function countAppended(before, now) {
  const names = Object.keys(before).filter((name) => name !== "track_ids" && name in now);
  const isSame = names.every((name) => JSON.stringify(before[name]) === JSON.stringify(now[name]));
  const isLonger = before.track_ids.every((id, index) => now.track_ids[index] === id);
  return isSame && isLonger ? now.track_ids.length - before.track_ids.length : 0;
}

/** Show an editor anew when something was added in another tab; what is not saved yet is merged by the draft. */
export function showAdditions(draft, go) {
  return hearAdditions((path) => {
    if (path !== location.pathname) return undefined;
    return draft.isDirty ? draft.save() : go(location.href, true);
  });
}
