// Links to the clipboard.

import { say } from "../shared/spoken.js";
import { translate } from "../shared/words.js";

const CONFIRMED_MS = 2_000;

/** @param {HTMLElement} main */
export function attachCopyButtons(main) {
  main.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button.dataset.copy, button);
  });
}

/**
 * @param {string} text
 * @param {HTMLElement} button that says for a while that it is done
 * @param {(message: string) => void} [tell] says it to screen readers
 */
export async function copy(text, button, tell = say) {
  const isDone = await copyText(text, button.closest("dialog") ?? document.body);
  const label = button.querySelector("span");
  button.dataset.label ??= label.textContent;
  label.textContent = isDone ? translate("Copied") : translate("Copy it by hand");
  tell(isDone ? translate("It is copied.") : translate("The browser does not let pages copy: copy it by hand."));
  setTimeout(() => (label.textContent = button.dataset.label), CONFIRMED_MS);
}

/** Give a button that copies another name, which it has again after it said that it is done. */
export function nameButton(button, name) {
  if (button.dataset.label === name) return;
  button.dataset.label = name;
  button.querySelector("span").textContent = name;
}

/**
 * @param {string} text
 * @param {HTMLElement} [place] where a field may stand for a moment; within a dialog, that
 * @returns {Promise<boolean>} whether the clipboard has it
 */
export async function copyText(text, place = document.body) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain http on another machine's address: there the clipboard is shut, this old way is not.
    const field = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
    // Within an open dialog, since what is outside of it cannot be selected.
    place.append(field);
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    return isDone;
  }
}
