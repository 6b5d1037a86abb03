// What stands above a page while another one cannot be loaded.

import { translate } from "../shared/words.js";

/** @param {string | null} message null takes it away @param {() => void} [again] */
export function showTrouble(message, again) {
  document.getElementById("trouble")?.remove();
  if (message === null) return;
  const box = Object.assign(document.createElement("div"), { id: "trouble", className: "trouble" });
  box.setAttribute("role", "alert");
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-primary", textContent: translate("Try again") });
  button.addEventListener("click", () => {
    box.setAttribute("aria-busy", "true");
    again();
  });
  const close = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-quiet", textContent: translate("Stay here") });
  close.addEventListener("click", () => box.remove());
  box.append(Object.assign(document.createElement("span"), { textContent: message }), button, close);
  document.querySelector(".site-header").after(box);
}
