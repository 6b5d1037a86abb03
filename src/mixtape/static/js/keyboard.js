// The space bar plays and pauses wherever it has no meaning of its own.

const USES_SPACE = "a, button, input, select, textarea, summary, [contenteditable], [role=button]";

/** @param {import("./player.js").Player} player */
export function attachKeyboard(player) {
  document.addEventListener("keydown", (event) => {
    const hasModifier = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    if (event.key !== " " || hasModifier || event.repeat || !player.track) return;
    if (event.target.closest?.(USES_SPACE)) return;
    event.preventDefault();
    player.toggle();
  });
}
