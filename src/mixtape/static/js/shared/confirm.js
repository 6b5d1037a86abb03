// Asks before something is gone for good, or takes long.

import { translate } from "./words.js";

/**
 * @param {string} question
 * @param {string} verb
 * @param {{otherwise?: string, isHarmless?: boolean}} [options]
 * @returns {Promise<boolean>}
 */
export function confirmed(question, verb, { otherwise = translate("Keep"), isHarmless = false } = {}) {
  const dialog = document.getElementById("confirm");
  const yes = dialog.querySelector('[value="yes"]');
  dialog.querySelector("p").textContent = question;
  dialog.querySelector('[value="no"]').textContent = otherwise;
  yes.textContent = verb;
  yes.classList.toggle("btn-danger", !isHarmless);
  yes.classList.toggle("btn-primary", isHarmless);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
  });
}
