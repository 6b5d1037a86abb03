// The qualities that the server offers, the best first, as every page carries them.

/**
 * @typedef {object} Quality
 * @property {string} name as the server is asked for it
 * @property {string} label
 * @property {number} kbps its bitrate, 0 for the original
 */

/** @type {Quality[]} */
export const QUALITIES = JSON.parse(document.body.dataset.qualities);

/** Those that are encoded. */
export const ENCODED = QUALITIES.filter(({ kbps }) => kbps > 0);

/** @param {string} name @returns {string} */
export function labelOf(name) {
  return QUALITIES.find((quality) => quality.name === name)?.label ?? name;
}
