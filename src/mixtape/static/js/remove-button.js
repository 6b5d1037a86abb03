// Buttons that delete what they stand beside, after a question.

import { send } from "./api.js";
import { confirmed } from "./confirm.js";
import { forgetDraft } from "./editor/local-copy.js";
import { say, toast } from "./spoken.js";

/** @param {HTMLElement} main @param {{go: (url: string, replaces?: boolean) => void}} page */
export function attachRemoveButtons(main, { go }) {
  main.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    const { remove, question, verb } = button.dataset;
    if (!(await confirmed(question, verb))) return;
    try {
      await send("DELETE", remove);
      forgetDraft(remove.split("/").at(-1));
      go(location.href, true);
      say("It is gone.");
    } catch (error) {
      toast(error.message);
    }
  });
}
