// The modal of one run.

import { fromTemplate, setIcon, setText } from "./parts.js";
import { isOver, rowsToShow } from "./state.js";
import { factsInWords, headlineInWords, positionInWords, summaryInWords } from "./words.js";

const ROWS_SHOWN = 200;
const STATES = {
  running: "caching…",
  cached: "cached",
  skipped: "skipped",
  failed: "failed",
  stopped: "not finished",
};
const NOTICES = {
  reconnecting: "The connection is lost. Reconnecting… The run itself goes on without it.",
  unknown:
    "The server no longer knows this run. It ended a while ago, or the server was restarted " +
    "since; tracks that were finished stay cached.",
  refused: "The server does not show this run to you any more. Sign in again, and reload the page.",
};

let count = 0;

/** Fires "cancel", "hidden", and "focuslost" where nothing is there any more to give it back to. */
export class ProgressView extends EventTarget {
  /** @type {ProgressView | null} the one on the screen: Bootstrap cannot stack modals */
  static current = null;
  #root;
  #parts;
  #modal;
  #only = "";
  #state = null;
  #rows = new WeakMap();
  #loggedEvent = null;
  #isEnded = false;
  #isCancelling = false;
  #returnFocusTo = null;
  isShown = false;
  isWanted = false;

  /** @param {string} title @param {any} bootstrap its JavaScript @param {boolean} canCancel */
  constructor(title, bootstrap, canCancel) {
    super();
    [this.#root, this.#parts] = fromTemplate("acp-modal");
    this.#parts.title.textContent = title;
    this.#parts.cancel.hidden = !canCancel;
    this.#makeIdsUnique();
    document.body.append(this.#root);
    this.#modal = new bootstrap.Modal(this.#root);
    this.#listen();
  }

  show() {
    this.isWanted = true;
    if (this.isShown) return;
    const { current } = ProgressView;
    if (current) {
      current.addEventListener("hidden", () => this.isWanted && this.show(), { once: true });
      current.hide();
      return;
    }
    ProgressView.current = this;
    this.isShown = true;
    this.#returnFocusTo ??= document.activeElement;
    this.#modal.show();
  }

  hide() {
    this.isWanted = false;
    this.#modal.hide();
  }

  remove() {
    this.#root.addEventListener("hidden.bs.modal", () => this.#discard());
    if (this.isShown) this.hide();
    else this.#discard();
  }

  /** @param {string} text */
  say(text) {
    setText(this.#parts.spoken, text);
  }

  /** @param {"ready" | "cancelling"} state @param {string} problem what kept it from working */
  setCancel(state, problem = "") {
    this.#isCancelling = state === "cancelling";
    // A disabled button would lose the keyboard's focus.
    this.#parts.cancel.setAttribute("aria-disabled", String(this.#isCancelling));
    setText(this.#parts.cancel, this.#isCancelling ? "Cancelling…" : "Cancel");
    setText(this.#parts.hint, problem || "You can close this; the run continues.");
    this.#parts.hint.classList.toggle("acp-problem", problem !== "");
  }

  /**
   * @param {import("./state.js").RunState} state
   * @param {import("./stream.js").Connection} connection
   */
  render(state, connection) {
    this.#state = state;
    this.#isEnded = isOver(state) || connection === "unknown" || connection === "refused";
    this.#root.dataset.phase = state.phase;
    this.#root.classList.toggle("acp-is-over", this.#isEnded);
    this.#renderNotice(isOver(state) ? "" : (NOTICES[connection] ?? ""), connection);
    this.#renderOutcome();
    this.#renderBar();
    this.#renderTracks();
    this.#renderLog();
  }

  #makeIdsUnique() {
    count += 1;
    const id = `acp-title-${count}`;
    this.#parts.title.id = id;
    for (const element of [this.#root, this.#parts.bar]) element.setAttribute("aria-labelledby", id);
  }

  #listen() {
    this.#parts.x.addEventListener("click", () => this.hide());
    this.#parts.close.addEventListener("click", () => this.hide());
    this.#parts.cancel.addEventListener("click", () => {
      if (!this.#isCancelling) this.dispatchEvent(new Event("cancel"));
    });
    this.#parts.tracks.addEventListener("click", (event) => this.#filter(event));
    this.#parts["log-box"].addEventListener("toggle", () => this.#logToggled());
    this.#root.addEventListener("hide.bs.modal", () => this.#leave());
    // Bootstrap ignores what is asked of a modal while it fades, so it is asked again after that.
    this.#root.addEventListener("shown.bs.modal", () => this.isWanted || this.#modal.hide());
    this.#root.addEventListener("hidden.bs.modal", () => this.#left());
  }

  // The modal is hidden from screen readers while it fades; nothing in it may keep the focus.
  #leave() {
    this.isWanted = false;
    if (this.#root.contains(document.activeElement)) document.activeElement.blur();
  }

  #left() {
    this.isShown = false;
    ProgressView.current = null;
    if (this.isWanted) {
      this.show();
      return;
    }
    this.dispatchEvent(new Event("hidden"));
    this.#giveFocusBack();
  }

  #giveFocusBack() {
    const element = this.#returnFocusTo;
    this.#returnFocusTo = null;
    if (element?.isConnected && element !== document.body && element.checkVisibility()) {
      element.focus();
    } else {
      this.dispatchEvent(new Event("focuslost"));
    }
  }

  #discard() {
    this.#modal.dispose();
    this.#root.remove();
  }

  #renderNotice(text, connection) {
    setText(this.#parts.notice, text);
    this.#parts.notice.hidden = text === "";
    this.#parts.notice.dataset.kind = connection;
  }

  #renderOutcome() {
    const state = this.#state;
    const isShown = isOver(state);
    const hadFocus = document.activeElement === this.#parts.cancel;
    this.#parts.outcome.hidden = !isShown;
    this.#parts.hint.hidden = this.#isEnded;
    this.#parts.cancel.classList.toggle("d-none", this.#isEnded);
    if (isShown) {
      const isGood = state.phase === "completed" && !state.counts.failed;
      this.#parts.badge.dataset.kind = isGood ? "good" : state.phase;
      setIcon(this.#parts["badge-icon"], badgeIcon(state, isGood));
      setText(this.#parts.headline, headlineInWords(state));
      setText(this.#parts.summary, summaryInWords(state));
    }
    if (hadFocus && this.#isEnded) this.#parts.close.focus();
  }

  #renderBar() {
    const state = this.#state;
    const { bar } = this.#parts;
    const done = Math.min(state.done, state.total);
    const percent = state.total ? Math.floor((100 * done) / state.total) : 0;
    bar.classList.toggle("acp-is-waiting", state.total === 0 && !this.#isEnded);
    this.#parts.figures.hidden = this.#isEnded && state.total === 0;
    if (state.total) {
      bar.setAttribute("aria-valuemax", String(state.total));
      bar.setAttribute("aria-valuenow", String(done));
      bar.setAttribute("aria-valuetext", positionInWords(state));
    } else {
      bar.removeAttribute("aria-valuenow");
    }
    for (const [name, share] of Object.entries(shares(state))) {
      this.#parts[`bar-${name}`].style.width = `${share * 100}%`;
    }
    setText(this.#parts.position, positionInWords(state));
    setText(this.#parts.percent, state.total ? `${percent} %` : "");
    setText(this.#parts.facts, factsInWords(state));
  }

  #filter(event) {
    const button = event.target.closest("[data-only]");
    if (!button) return;
    this.#only = this.#only === button.dataset.only ? "" : button.dataset.only;
    this.#renderTracks();
    this.#parts.list.scrollTop = 0;
  }

  #renderTracks() {
    const state = this.#state;
    this.#parts.tracks.hidden = !state.running.length && !state.finished.length;
    for (const button of this.#parts.tracks.querySelectorAll("[data-only]")) {
      const { only } = button.dataset;
      button.setAttribute("aria-pressed", String(only === this.#only));
      button.disabled = !state.counts[only] && this.#only !== only;
      setText(this.#parts[only], state.counts[only].toLocaleString());
    }
    const rows = rowsToShow(state, this.#only);
    const elements = rows.slice(0, ROWS_SHOWN).map((row) => this.#rowElement(row));
    if (rows.length > ROWS_SHOWN) elements.push(moreElement(rows.length - ROWS_SHOWN));
    arrange(this.#parts.list, elements);
    // Who tells nothing about tracks tells all in the log.
    if (!state.tellsTracks && !this.#loggedEvent && state.log.length) this.#parts["log-box"].open = true;
  }

  #rowElement(row) {
    let element = this.#rows.get(row);
    if (!element) {
      [element] = fromTemplate("acp-row");
      element.querySelector(".acp-name").textContent = row.name;
      this.#rows.set(row, element);
    }
    if (element.dataset.status !== row.status) {
      element.dataset.status = row.status;
      setIcon(element.querySelector("use"), row.status === "running" ? "cached" : row.status);
      setText(element.querySelector(".acp-state"), STATES[row.status] ?? row.status);
      setText(element.querySelector(".acp-reason"), row.reason);
    }
    return element;
  }

  #logToggled() {
    this.#parts.log.scrollTop = this.#parts.log.scrollHeight;
    this.#parts["log-box"].scrollIntoView({ block: "nearest" });
  }

  #renderLog() {
    const { log } = this.#state;
    this.#parts["log-box"].hidden = log.length === 0;
    const box = this.#parts.log;
    const isAtBottom = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    const from = log.lastIndexOf(this.#loggedEvent) + 1;
    if (from === 0) box.replaceChildren();
    box.append(...log.slice(from).map(logElement));
    while (box.children.length > log.length) box.firstElementChild.remove();
    this.#loggedEvent = log.at(-1) ?? null;
    if (isAtBottom) box.scrollTop = box.scrollHeight;
  }
}

function badgeIcon(state, isGood) {
  if (isGood) return "cached";
  return state.phase === "cancelled" ? "stopped" : "failed";
}

/** Return how much of the bar each part takes; all of it is "cached" where nobody tells tracks. */
function shares(state) {
  const { cached, skipped, failed } = state.counts;
  if (!state.total) return { cached: 0, skipped: 0, failed: 0 };
  const counted = cached + skipped + failed;
  if (!counted) return { cached: Math.min(state.done / state.total, 1), skipped: 0, failed: 0 };
  const total = Math.max(state.total, counted);
  return { cached: cached / total, skipped: skipped / total, failed: failed / total };
}

function moreElement(number) {
  const element = document.createElement("li");
  element.className = "acp-more";
  element.textContent = `and ${number.toLocaleString()} more`;
  return element;
}

/** Make those the children of a list, in that order, and move only what is not in its place. */
function arrange(list, elements) {
  const kept = new Set(elements);
  for (const child of [...list.children]) {
    if (!kept.has(child)) child.remove();
  }
  elements.forEach((element, place) => {
    if (list.children[place] !== element) list.insertBefore(element, list.children[place] ?? null);
  });
}

function logElement({ time, text, kind }) {
  const line = document.createElement("p");
  line.className = "acp-line";
  line.dataset.kind = kind;
  const clock = document.createElement("time");
  clock.textContent = time.slice(11, 19);
  line.append(clock, text);
  return line;
}
