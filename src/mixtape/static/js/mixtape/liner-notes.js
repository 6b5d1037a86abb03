// Long liner notes are folded on a phone, where they would push the tracks off the screen.

// A button in the place of fewer lines would save nothing.
const LEAST_LINES = 4;

/** @param {HTMLElement} section */
export function attachLinerNotes(section) {
  const [text, more] = ["text", "more"].map((name) => section.querySelector(`[data-part="${name}"]`));
  section.classList.add("is-folded");
  const fit = () => {
    if (!section.classList.contains("is-folded")) return;
    const lines = (text.scrollHeight - text.clientHeight) / parseFloat(getComputedStyle(text).lineHeight);
    // Where the style folds nothing there is no button either.
    more.hidden = lines < LEAST_LINES;
    if (lines > 0.5) section.classList.toggle("is-folded", !more.hidden);
  };
  new ResizeObserver(fit).observe(text);
  more.addEventListener("click", () => {
    section.classList.remove("is-folded");
    more.setAttribute("aria-expanded", "true");
    more.hidden = true;
    text.tabIndex = -1;
    text.focus({ preventScroll: true });
  });
}
