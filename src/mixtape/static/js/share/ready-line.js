// How much of a mixtape is ready, in one quiet line, with the way to the details.

import { showProgress } from "../mixtape/cache-button.js";
import { send } from "../shared/api.js";
import { labelOf } from "../shared/qualities.js";
import { plural, translate } from "../shared/words.js";

/** @param {HTMLElement} line @returns {() => void} */
export function attachReadyLine(line) {
  const { readinessUrl, taskId, initial } = line.dataset;
  const [text, details] = ["text", "details"].map((name) => line.querySelector(`[data-part="${name}"]`));
  let found = JSON.parse(initial);
  const show = (done = 0) => {
    text.textContent = readyText(found, done);
    details.hidden = !found.task;
    line.hidden = !text.textContent;
  };
  const ask = async () => {
    try {
      found = await send("GET", readinessUrl);
      show();
    } catch {
      // It says what it said before.
    }
  };
  const listening = new AbortController();
  const on = (name, act) => document.addEventListener(name, ({ detail }) => detail.taskId === taskId && act(detail), { signal: listening.signal });
  on("audio-cache:run-progress", ({ done, failed }) => found.task && show(done - failed));
  on("audio-cache:run-end", ask);
  details.addEventListener("click", () => {
    // The modal of a run is none of the browser's own, which nothing of the page can be above.
    line.closest("dialog")?.close();
    showProgress(found.task);
  });
  show();
  return () => listening.abort();
}

/**
 * @param {object} found the readiness, as the server tells it
 * @param {number} [done] how many are done by now, of a run that goes on
 * @returns {string} "12 of 24 tracks are ready at Medium"; "" where there is nothing to say
 */
export function readyText({ enabled, total, ready, usual, damaged, unplayable, task }, done = 0) {
  if (!enabled || !total) return "";
  const quality = usual.map(labelOf).join(", ");
  const count = Math.min(total, Math.max(done, Math.min(...usual.map((name) => ready[name]))));
  const sound = total - damaged - unplayable;
  if (task && count < sound) return plural("%(count)s of %(num)s track ready at %(quality)s", "%(count)s of %(num)s tracks ready at %(quality)s", total, { count, quality });
  const parts = [];
  if (count >= sound) {
    if (sound) parts.push(plural("%(num)s track is ready at %(quality)s", "%(num)s tracks are ready at %(quality)s", sound, { quality }));
  } else if (count) {
    parts.push(plural("%(count)s of %(num)s track is kept at %(quality)s, and the rest is encoded while it plays", "%(count)s of %(num)s tracks are kept at %(quality)s, and the rest is encoded while it plays", total, { count, quality }));
  } else {
    parts.push(translate("Nothing is kept at %(quality)s yet: it is encoded while it plays", { quality }));
  }
  return [...parts, ...troubles({ damaged, unplayable })].join(" · ");
}

/** @returns {string[]} what will never be ready, and why that is no reason to wait */
export function troubles({ damaged, unplayable }) {
  const parts = [];
  if (damaged) parts.push(plural("%(num)s is damaged and played as far as it can be read", "%(num)s are damaged and played as far as they can be read", damaged));
  if (unplayable) parts.push(plural("%(num)s cannot be played", "%(num)s cannot be played", unplayable));
  return parts;
}
