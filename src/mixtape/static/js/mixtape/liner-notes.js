// Long liner notes are folded on a phone, where they would push the tracks off the screen.

/** @param {HTMLElement} section */
export function attachLinerNotes(section) {
  const [text, more] = ["text", "more"].map((name) => section.querySelector(`[data-part="${name}"]`));
  section.classList.add("is-folded");
  // Where the style folds nothing, or there is little more to read, there is no button either.
  const fit = () => {
    const isCut = text.scrollHeight > text.clientHeight + 1;
    if (section.classList.contains("is-folded")) more.hidden = !isCut;
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
