// Asks before something is gone for good.

/** @param {string} question @param {string} verb @returns {Promise<boolean>} */
export function confirmed(question, verb) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector("p").textContent = question;
  dialog.querySelector('[value="yes"]').textContent = verb;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
  });
}
