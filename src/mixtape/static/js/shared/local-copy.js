// The browser's own copy of a draft: what was typed outlives a lost connection and an ended session.

import { recall, remember } from "./storage.js";

const nameOf = (key) => `draft.${key}`;

/**
 * @typedef {object} Copy
 * @property {number} revision of the stored draft that it goes on from
 * @property {object} state as the editor reads it
 */

/** @param {string} key @param {Copy} copy */
export function keepDraft(key, copy) {
  remember(nameOf(key), JSON.stringify(copy));
}

/** @param {string} key @returns {Copy | null} */
export function recallDraft(key) {
  try {
    return JSON.parse(recall(nameOf(key), "null"));
  } catch {
    return null;
  }
}

/** @param {string} key */
export function forgetDraft(key) {
  try {
    localStorage.removeItem(`mixtape.${nameOf(key)}`);
  } catch {
    // a browser that keeps nothing has nothing to forget
  }
}
