// Keys that work wherever they have no meaning of their own: the space bar plays and pauses, the
// arrows seek, and with Shift they go from track to track. No letters: who steers a browser by
// voice would press those by accident.

const CONTROLS = "input, select, textarea, [contenteditable], [role=slider], [role=dialog] *";
const PRESSED_BY_SPACE = `a, button, summary, [role=button], ${CONTROLS}`;
const STEP_S = 5;

const KEYS = {
  " ": { foreign: PRESSED_BY_SPACE, act: (player) => player.toggle() },
  ArrowLeft: { foreign: CONTROLS, act: (player) => player.seek(player.position - STEP_S), repeats: true },
  ArrowRight: { foreign: CONTROLS, act: (player) => player.seek(player.position + STEP_S), repeats: true },
  "Shift+ArrowLeft": { foreign: CONTROLS, act: (player) => player.previous() },
  "Shift+ArrowRight": { foreign: CONTROLS, act: (player) => player.next() },
};

/** @param {import("./player.js").Player} player */
export function attachKeyboard(player) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !player.track) return;
    const key = KEYS[event.shiftKey ? `Shift+${event.key}` : event.key];
    if (!key || (event.repeat && !key.repeats) || event.target.closest?.(key.foreign)) return;
    event.preventDefault();
    key.act(player);
  });
}
