// How caching runs go: a modal per run, which may be closed and opened again while the run goes on.
//
//   import { openProgress } from ".../progress/progress.js";
//   openProgress({ taskId: "summer-vibes", url: "/editor/progress/summer-vibes",
//                  cancelUrl: "/editor/cancel/summer-vibes", title: "Caching Summer Vibes" });
//
// Who cannot import it from there dispatches "audio-cache:open-progress" on the document, with the
// same options as its detail. "audio-cache:run-progress" is dispatched there while a run goes on, ten
// times a second at most, and "audio-cache:run-end" when it has ended.

import { Indicator } from "./indicator.js";
import { addEvent, isOver, newRun } from "./state.js";
import { ProgressStream } from "./stream.js";
import { ProgressView } from "./view.js";
import { headlineInWords, spokenInWords, summaryInWords } from "./words.js";

const RENDER_MS = 100;
// Often enough to know that it continues, rarely enough not to disturb other work.
const SPEAK_MS = 15_000;

/** @type {Map<string, Run>} */
const runs = new Map();

/**
 * @typedef {object} Options
 * @property {string} taskId
 * @property {string} url of the run's event stream
 * @property {string} [cancelUrl] takes a POST; without it there is no cancel button
 * @property {string} [title]
 * @property {boolean} [show] false shows the small indicator only
 * @property {boolean} [indicator] false shows none, for a page that tells of the run by itself
 * @property {any} [bootstrap] Bootstrap's JavaScript, where it is not at window.bootstrap
 * @property {number} [unknownAfterMs] how long a run is asked for that the server knew once
 * @property {number} [quietMs] how long a connection may be lost before that is said
 */

/**
 * Show how a run goes; the same run again brings its modal back.
 * @param {Options} options
 * @returns {{taskId: string, show: () => void, hide: () => void, close: () => void}}
 */
export function openProgress(options) {
  let run = runs.get(options.taskId);
  if (run?.isEnded) {
    run.close();
    run = undefined;
  }
  if (!run) {
    run = new Run(options);
    runs.set(options.taskId, run);
  }
  if (options.show ?? true) run.show();
  const { taskId } = options;
  return {
    taskId,
    show: () => runs.get(taskId)?.show(),
    hide: () => runs.get(taskId)?.hide(),
    close: () => runs.get(taskId)?.close(),
  };
}

class Run {
  #options;
  #state = newRun();
  #stream;
  #view;
  #indicator;
  #renderTimer = 0;
  #spokenAt = -SPEAK_MS;
  #connection = "connecting";
  #isClosed = false;

  /** @param {Options} options */
  constructor(options) {
    const bootstrap = options.bootstrap ?? window.bootstrap;
    if (!bootstrap?.Modal) {
      throw new Error("load Bootstrap's JavaScript first, or pass it to openProgress as bootstrap");
    }
    this.#options = options;
    const title = options.title ?? "Caching";
    this.#view = new ProgressView(title, bootstrap, Boolean(options.cancelUrl));
    this.#indicator = new Indicator(title, {
      onReopen: () => this.show(),
      onDismiss: () => this.close(),
    });
    this.#stream = new ProgressStream(options.url, options);
    this.#listen();
    this.#render();
  }

  get isEnded() {
    return isOver(this.#state) || ["unknown", "refused"].includes(this.#stream.connection);
  }

  show() {
    this.#view.show();
    this.#render();
  }

  hide() {
    if (this.#view.isShown) this.#view.hide();
  }

  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream.close();
    clearTimeout(this.#renderTimer);
    this.#view.remove();
    this.#indicator.remove();
    if (runs.get(this.#options.taskId) === this) runs.delete(this.#options.taskId);
  }

  #listen() {
    this.#stream.addEventListener("event", ({ detail }) => this.#add(detail));
    this.#stream.addEventListener("reset", () => this.#reset());
    this.#stream.addEventListener("connection", () => this.#connectionChanged());
    this.#view.addEventListener("cancel", () => this.#cancel());
    this.#view.addEventListener("focuslost", () => this.#indicator.focus());
    // Whoever closes the modal of a run that is over has seen how it ended.
    this.#view.addEventListener("hidden", () => (this.isEnded ? this.close() : this.#render()));
  }

  #add(event) {
    addEvent(this.#state, event);
    if (isOver(this.#state)) this.#end(event);
    this.#renderSoon();
  }

  #reset() {
    this.#state = newRun();
    this.#view.setCancel("ready");
    this.#renderSoon();
  }

  #end(event) {
    this.#stream.close();
    this.#say(`${headlineInWords(this.#state)}. ${summaryInWords(this.#state)}`);
    this.#tell("audio-cache:run-end", { status: event.status, step: event.step });
  }

  #tell(name, more) {
    const { taskId } = this.#options;
    const detail = { taskId, ...this.#state.counts, ...more };
    document.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #connectionChanged() {
    const before = this.#connection;
    this.#connection = this.#stream.connection;
    if (this.#connection === "reconnecting") this.#say("The connection is lost. Reconnecting.");
    if (this.#connection === "open" && before === "reconnecting") this.#say("Connected again.");
    if (this.#connection === "unknown") this.#say("The server no longer knows this run.");
    this.#render();
  }

  // Events come in bursts when a long run is caught up with; the page is changed ten times a second.
  #renderSoon() {
    if (!this.#isClosed) this.#renderTimer ||= setTimeout(() => this.#render(), RENDER_MS);
  }

  #render() {
    clearTimeout(this.#renderTimer);
    this.#renderTimer = 0;
    const isIndicated = this.#options.indicator ?? true;
    this.#indicator.show(isIndicated && !this.#view.isShown && !this.#view.isWanted);
    this.#indicator.render(this.#state, this.#connection);
    this.#view.render(this.#state, this.#connection);
    const { phase, done, total } = this.#state;
    if (phase === "running") this.#tell("audio-cache:run-progress", { done, total });
    const isDue = performance.now() - this.#spokenAt >= SPEAK_MS;
    if (isDue && this.#state.phase === "running" && this.#view.isShown) {
      this.#say(spokenInWords(this.#state));
    }
  }

  // What is outside an open modal is not there for a screen reader, nor what is in a closed one.
  #say(text) {
    this.#spokenAt = performance.now();
    (this.#view.isShown ? this.#view : this.#indicator).say(text);
  }

  async #cancel() {
    this.#view.setCancel("cancelling");
    const problem = await post(this.#options.cancelUrl);
    if (problem && !this.isEnded) {
      this.#view.setCancel("ready", problem);
      this.#say(problem);
    }
  }
}

/** @param {string} url @returns {Promise<string>} what went wrong, or "" */
async function post(url) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  const headers = { Accept: "application/json", ...(token && { "X-CSRFToken": token }) };
  try {
    const response = await fetch(url, { method: "POST", headers });
    return response.ok ? "" : `Not cancelled: the server answered ${response.status}.`;
  } catch {
    return "Not cancelled: the server cannot be reached.";
  }
}

document.addEventListener("audio-cache:open-progress", ({ detail }) => openProgress(detail));
