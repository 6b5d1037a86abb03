// What stays on the page while a run's modal is closed: how far it is, and the way back to it.

import { fromTemplate, setIcon, setText } from "./parts.js";
import { isOver } from "./state.js";
import { headlineInWords, positionInWords } from "./words.js";

const ICONS = { failed: "failed", cancelled: "stopped" };

/** @returns {HTMLElement} the corner that holds the indicators of all runs */
function corner() {
  let element = document.querySelector(".acp-corner");
  if (!element) {
    element = document.createElement("div");
    element.className = "acp-corner";
    document.body.append(element);
  }
  return element;
}

export class Indicator {
  #root;
  #parts;
  #spoken;

  /** @param {string} title @param {{onReopen: () => void, onDismiss: () => void}} actions */
  constructor(title, { onReopen, onDismiss }) {
    [this.#root, this.#parts] = fromTemplate("acp-indicator");
    this.#parts.title.textContent = title;
    this.#parts.reopen.addEventListener("click", onReopen);
    this.#parts.dismiss.addEventListener("click", onDismiss);
    this.#spoken = document.createElement("p");
    this.#spoken.className = "visually-hidden";
    this.#spoken.setAttribute("role", "status");
    corner().append(this.#root, this.#spoken);
  }

  /** @param {boolean} isShown */
  show(isShown) {
    this.#root.hidden = !isShown;
  }

  focus() {
    this.#parts.reopen.focus();
  }

  /** @param {string} text */
  say(text) {
    setText(this.#spoken, text);
  }

  remove() {
    this.#root.remove();
    this.#spoken.remove();
  }

  /**
   * @param {import("./state.js").RunState} state
   * @param {import("./stream.js").Connection} connection
   */
  render(state, connection) {
    const isLost = connection === "unknown" || connection === "refused";
    const isEnded = isOver(state) || isLost;
    const percent = state.total ? (100 * Math.min(state.done, state.total)) / state.total : 0;
    const isBad = isLost || (state.phase === "completed" && state.counts.failed > 0);
    this.#root.dataset.phase = isBad ? "failed" : state.phase;
    this.#root.classList.toggle("acp-is-over", isEnded);
    this.#parts.ring.style.strokeDashoffset = String(100 - percent);
    setIcon(this.#parts.icon, ICONS[this.#root.dataset.phase] ?? "cached");
    setText(this.#parts.state, this.#stateInWords(state, connection));
    this.#parts.dismiss.hidden = !isEnded;
  }

  #stateInWords(state, connection) {
    if (isOver(state)) return headlineInWords(state);
    if (connection === "reconnecting") return "Reconnecting…";
    if (connection === "unknown") return "No longer known";
    return connection === "refused" ? "Not allowed" : positionInWords(state);
  }
}
