// Words for screen readers, and small messages at the bottom of the page.

const TOAST_MS = 10_000;

/** @param {string} words */
export function say(words) {
  const region = document.getElementById("spoken");
  // The same words twice are no change, which nobody would be told of.
  region.textContent = region.textContent === words ? `${words} ` : words;
}

/**
 * Show a message for a while; a new one takes the place of the last.
 *
 * @param {string} words
 * @param {{label: string, act: () => void}} [action] a button beside it
 * @returns {() => void} takes it away
 */
export function toast(words, action) {
  const area = document.getElementById("toasts");
  const box = document.createElement("div");
  box.className = "toast-line";
  box.append(Object.assign(document.createElement("span"), { textContent: words }));
  const close = () => box.remove();
  if (action) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: action.label });
    button.addEventListener("click", () => {
      close();
      action.act();
    });
    box.append(button);
  }
  area.replaceChildren(box);
  const wait = () => setTimeout(() => (box.matches(":hover, :focus-within") ? wait() : close()), TOAST_MS);
  wait();
  return close;
}
