// A question before something that cannot be undone, with a word to type where much is at stake.

/**
 * @param {HTMLElement} page that holds the dialog
 * @param {{title: string, message: string, yes: string, word?: string}} question
 * @returns {Promise<boolean>} whether the answer is yes
 */
export function confirmFirst(page, { title, message, yes, word = "" }) {
  const part = (name) => page.querySelector(`[data-part=${name}]`);
  const [dialog, input, button] = ["confirm", "confirm-input", "confirm-yes"].map(part);
  part("confirm-title").textContent = title;
  part("confirm-text").textContent = message;
  part("confirm-typed").hidden = !word;
  button.textContent = yes;
  input.value = "";
  const isTyped = () => input.value.trim().toLowerCase() === word;
  const check = () => (button.disabled = Boolean(word) && !isTyped());
  // Enter in the field presses the first button of the form, which is the one that keeps all.
  const onEnter = (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (isTyped()) dialog.close("yes");
  };
  check();
  input.addEventListener("input", check);
  input.addEventListener("keydown", onEnter);
  dialog.returnValue = "";
  dialog.showModal();
  if (word) input.focus();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        input.removeEventListener("input", check);
        input.removeEventListener("keydown", onEnter);
        resolve(dialog.returnValue === "yes");
      },
      { once: true },
    );
  });
}
