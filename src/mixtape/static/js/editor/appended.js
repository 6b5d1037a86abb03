// Tracks that were added to a mixtape elsewhere while it is open in an editor.

import { hearAdditions } from "../add/targets.js";

/** @typedef {{title: string, notes: string, cover_key: string | null, track_ids: number[]}} State */

/** @param {object} stored a draft as the server sends it @returns {State} */
export function stateOf({ title, notes, cover_key: cover, tracks }) {
  return { title, notes, cover_key: cover, track_ids: tracks.map(({ id }) => id) };
}

/**
 * Return how many tracks were put behind those of before, where that is all that has changed.
 *
 * @param {State} before
 * @param {State} now
 * @returns {number | null} null where something else has changed too
 */
export function countAppended(before, now) {
  const isSame = ["title", "notes", "cover_key"].every((name) => before[name] === now[name]);
  const isLonger = before.track_ids.every((id, index) => now.track_ids[index] === id);
  return isSame && isLonger ? now.track_ids.length - before.track_ids.length : null;
}

/** Show an editor anew when something was added in another tab; what is not saved yet is merged by the draft. */
export function showAdditions(draft, go) {
  return hearAdditions((path) => {
    if (path !== location.pathname) return undefined;
    return draft.isDirty ? draft.save() : go(location.href, true);
  });
}
