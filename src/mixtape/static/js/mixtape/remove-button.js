// Buttons that delete what they stand beside, after a question.

import { send } from "../shared/api.js";
import { confirmed } from "../shared/confirm.js";
import { forgetDraft } from "../shared/local-copy.js";
import { say, toast } from "../shared/spoken.js";
import { translate } from "../shared/words.js";

/** @param {HTMLElement} main @param {{go: (url: string, replaces?: boolean) => void}} page */
export function attachRemoveButtons(main, { go }) {
  main.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    const { remove, question, verb, home } = button.dataset;
    if (!(await confirmed(question, verb))) return;
    try {
      await send("DELETE", remove);
      forgetDraft(remove.split("/").at(-1));
      // What is gone has no page any more.
      go(home ?? location.href, !home);
      say(translate("It is gone."));
    } catch (error) {
      toast(error.message);
    }
  });
}
