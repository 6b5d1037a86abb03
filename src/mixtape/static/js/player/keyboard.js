// Keys that work wherever they have no meaning of their own: the space bar plays and pauses, the
// arrows seek, and with Shift they go from track to track; "?" tells all of this. No letters: who
// steers a browser by voice would press those by accident, and for the same reason all can be
// switched off (WCAG 2.1.4).

import { recall, remember } from "../shared/storage.js";

const CONTROLS = "input, select, textarea, [contenteditable], [role=slider], [role=dialog] *, dialog, dialog *";
const PRESSED_BY_SPACE = `a, button, summary, [role=button], ${CONTROLS}`;
const STEP_S = 5;
const SWITCH = "keys";

const KEYS = {
  " ": { foreign: PRESSED_BY_SPACE, act: (player) => player.toggle() },
  ArrowLeft: { foreign: CONTROLS, act: (player) => player.seek(player.position - STEP_S), repeats: true },
  ArrowRight: { foreign: CONTROLS, act: (player) => player.seek(player.position + STEP_S), repeats: true },
  "Shift+ArrowLeft": { foreign: CONTROLS, act: (player) => player.previous() },
  "Shift+ArrowRight": { foreign: CONTROLS, act: (player) => player.next() },
};

/** @param {import("./player.js").Player} player */
export function attachKeyboard(player) {
  const sheet = document.getElementById("keys");
  const isOn = sheet.querySelector('[data-part="keys"]');
  isOn.checked = recall(SWITCH, "on") === "on";
  isOn.addEventListener("change", () => remember(SWITCH, isOn.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !isOn.checked) return;
    if (event.key === "?" && !event.target.closest?.(CONTROLS)) {
      event.preventDefault();
      return sheet.showModal();
    }
    const key = player.track && KEYS[event.shiftKey ? `Shift+${event.key}` : event.key];
    if (!key || (event.repeat && !key.repeats) || event.target.closest?.(key.foreign)) return undefined;
    event.preventDefault();
    return key.act(player);
  });
}
