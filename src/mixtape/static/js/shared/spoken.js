// Messages for screen readers, and small messages at the bottom of the page.

const TOAST_MS = 10_000;

/** @param {string} message */
export function say(message) {
  const region = document.getElementById("spoken");
  // A listener's page has none: there the button itself says what was done.
  if (!region) return;
  // The same message twice are no change, which nobody would be told of.
  region.textContent = region.textContent === message ? `${message} ` : message;
}

/**
 * Show a message for a while; a new one takes the place of the last.
 *
 * @param {string} message
 * @param {...{label: string, act: () => void}} actions buttons beside it
 * @returns {() => void} takes it away
 */
export function toast(message, ...actions) {
  const area = document.getElementById("toasts");
  const box = document.createElement("div");
  box.className = "toast-line";
  box.append(Object.assign(document.createElement("span"), { textContent: message }));
  const close = () => box.remove();
  for (const action of actions) {
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
