// "Cache this folder": starts a run and shows how it goes; of much it says first what it takes.

import { send } from "../shared/api.js";
import { confirmed } from "../shared/confirm.js";
import { toast } from "../shared/spoken.js";
import { translate } from "../shared/words.js";

/** @param {object} task as the server describes a run @param {boolean} isShown false for the small indicator only */
export function showProgress(task, isShown = true) {
  // A page that tells of it in a line needs no indicator in its corner.
  const indicator = !document.querySelector("[data-ready-line]");
  const detail = { ...task, show: isShown, indicator };
  document.dispatchEvent(new CustomEvent("audio-cache:open-progress", { detail }));
}

/** @param {HTMLElement} main */
export function attachCacheButtons(main) {
  main.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-cache]");
    if (!button || button.disabled) return;
    button.disabled = true;
    try {
      if (!("asks" in button.dataset) || (await isWanted(button.dataset.cache))) {
        const { task } = await send("POST", button.dataset.cache, {});
        showProgress(task);
      }
    } catch (error) {
      toast(error.message);
    }
    button.disabled = false;
  });
}

/** @param {string} url @returns {Promise<boolean>} whether somebody wants it who knows what it takes */
async function isWanted(url) {
  const { words, obstacle } = await send("GET", url);
  if (obstacle) toast(obstacle);
  return !obstacle && confirmed(words, translate("Cache"), { otherwise: translate("Not now"), isHarmless: true });
}
