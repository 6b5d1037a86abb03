// A secret that the page shows once, with a button to copy it.

/**
 * @param {HTMLElement} box what `_once.html` makes
 * @param {{title: string, text: string, values: Object<string, string>}} secret
 */
export function showOnce(box, { title, text, values }) {
  const part = (name) => box.querySelector(`[data-part="${name}"]`);
  part("title").textContent = title;
  part("text").textContent = text;
  for (const [name, value] of Object.entries(values)) {
    box.querySelector(`[data-value="${name}"]`).textContent = value;
    box.querySelector(`[data-copies="${name}"]`).dataset.copy = value;
  }
  part("close").onclick = () => {
    hideOnce(box);
    document.querySelector("main h1")?.focus();
  };
  box.hidden = false;
  part("title").focus();
}

/** @param {HTMLElement} box */
export function hideOnce(box) {
  box.hidden = true;
  for (const value of box.querySelectorAll("[data-value]")) {
    const button = box.querySelector(`[data-copies="${value.dataset.value}"]`);
    // What the page itself holds, as the address of the server, is no secret.
    value.textContent = button.dataset.copy = value.dataset.always ?? "";
  }
}
