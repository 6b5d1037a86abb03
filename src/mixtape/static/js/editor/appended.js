// Tracks that were added to a mixtape elsewhere while it is open in an editor.

import { hearAdditions } from "../add/targets.js";

/**
 * Return how many tracks were put behind those of before, where that is all that has changed.
 *
 * @param {object} before what the server had, as `sentOf` has it
 * @param {object} now what it has
 * @returns {number} 0 where something else has changed too, or nothing
 */
export function countAppended(before, now) {
  const names = Object.keys(before).filter((name) => !name.startsWith("track_") && name in now);
  const isSame = names.every((name) => JSON.stringify(before[name]) === JSON.stringify(now[name]));
  // Of each place there is an id and a note.
  const lists = ["track_ids", "track_notes"];
  const isLonger = lists.every((list) => before[list].every((value, index) => now[list][index] === value));
  return isSame && isLonger ? now.track_ids.length - before.track_ids.length : 0;
}

/** Show an editor anew when something was added in another tab; what is not saved yet is merged by the draft. */
export function showAdditions(draft, go) {
  return hearAdditions((path) => {
    if (path !== location.pathname) return undefined;
    return draft.isDirty ? draft.save() : go(location.href, true);
  });
}
