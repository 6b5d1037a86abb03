// What has the focus is never under the player or the head of the site (WCAG 2.4.11).

const ROOM_PX = 8;

/** @param {HTMLElement} bar */
export function attachUncovered(bar) {
  const root = document.documentElement;
  const header = document.querySelector(".site-header");
  // Styles keep as much room at both ends as these two take.
  const measure = () => {
    root.style.setProperty("--player-height", `${bar.offsetHeight}px`);
    root.style.setProperty("--header-height", `${header?.offsetHeight ?? 0}px`);
  };
  const watch = new ResizeObserver(measure);
  watch.observe(bar);
  if (header) watch.observe(header);
  measure();
  document.addEventListener("focusin", ({ target }) => {
    if (bar.contains(target) || header?.contains(target) || target.closest("dialog")) return;
    // A heading that is given the focus after "back" stays where it was left, out of sight or not.
    if (target.tabIndex < 0) return;
    // Browsers scroll by themselves first, and not every one minds scroll-padding then.
    requestAnimationFrame(() => uncover(target, bar, header));
  });
}

function uncover(target, bar, header) {
  const { top, bottom } = target.getBoundingClientRect();
  const low = innerHeight - bar.offsetHeight - ROOM_PX;
  const high = (header?.offsetHeight ?? 0) + ROOM_PX;
  // Of what is taller than the room, the beginning counts.
  if (bottom > low && top > high) scrollBy({ top: Math.min(bottom - low, top - high), behavior: "instant" });
  else if (top < high && bottom < low) scrollBy({ top: top - high, behavior: "instant" });
}
