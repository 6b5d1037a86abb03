// "Cache this folder": starts a run and shows how it goes.

import { send } from "../shared/api.js";
import { toast } from "../shared/spoken.js";

/** @param {object} task as the server describes a run @param {boolean} isShown false for the small indicator only */
export function showProgress(task, isShown = true) {
  const detail = { ...task, show: isShown };
  document.dispatchEvent(new CustomEvent("audio-cache:open-progress", { detail }));
}

/** @param {HTMLElement} main */
export function attachCacheButtons(main) {
  main.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-cache]");
    if (!button || button.disabled) return;
    button.disabled = true;
    try {
      const { task } = await send("POST", button.dataset.cache, {});
      showProgress(task);
    } catch (error) {
      toast(error.message);
    }
    button.disabled = false;
  });
}
