// The editor of a mixtape: puts the track order, the search, the cover and the draft together.

import { showProgress } from "../mixtape/cache-button.js";
import { openSharePanel } from "../share/panel.js";
import { say } from "../shared/spoken.js";
import { attachCover } from "./cover.js";
import { Draft } from "./draft.js";
import { forgetDraft, recallDraft } from "../shared/local-copy.js";
import { attachNotice } from "./notice.js";
import { attachPicker } from "./picker.js";
import { attachTrackOrder } from "./track-list.js";
import { TrackOrder } from "./tracks.js";
import { showTotals } from "./totals.js";

/**
 * @param {HTMLElement} box
 * @param {{rowsChanged: () => void, go: (url: string, replaces?: boolean) => void}} page
 * @returns {() => void}
 */
export function attachEditor(box, page) {
  const editor = new Editor(box, page);
  return () => editor.close();
}

class Editor {
  #box;
  #page;
  #trackOrder;
  #draft;
  #cover = { key: null, url: null };
  #showCover;
  #closePicker;
  #listening = new AbortController();

  constructor(box, page) {
    this.#box = box;
    this.#page = page;
    const limits = JSON.parse(box.dataset.limits);
    const stored = JSON.parse(box.dataset.editor);
    this.#trackOrder = new TrackOrder(limits.tracks);
    this.#draft = new Draft(stored, box.dataset.drafts, () => this.#read());
    this.#showCover = attachCover(box, limits.coverBytes, (cover) => {
      this.#cover = cover;
      this.#draft.changed();
    });
    attachTrackOrder(this.#part("track-order"), this.#trackOrder, page.rowsChanged);
    this.#closePicker = attachPicker(box, this.#trackOrder, page.rowsChanged);
    attachNotice(box, this.#draft, { loadOther: () => this.#loadOther() });
    this.#fill(stored);
    this.#restore(stored);
    this.#listen();
  }

  close() {
    this.#listening.abort();
    this.#closePicker();
    this.#draft.leave();
    this.#draft.close();
  }

  #part(name) {
    return this.#box.querySelector(`[data-part="${name}"]`);
  }

  #field(id) {
    return this.#box.querySelector(`#${id}`);
  }

  #listen() {
    const { signal } = this.#listening;
    for (const id of ["title", "notes"]) this.#field(id).addEventListener("input", () => this.#draft.changed());
    this.#field("title").addEventListener("input", () => this.#complain(""));
    this.#trackOrder.addEventListener("change", () => {
      this.#showTrackOrder();
      this.#draft.changed();
    });
    this.#part("save").addEventListener("click", () => this.#save(false));
    this.#draft.addEventListener("begun", ({ detail: url }) => {
      // A reload leads back to what was typed, and not to another empty editor.
      if (!this.#draft.slug) history.replaceState(history.state, "", url);
    });
    addEventListener("pagehide", () => this.#draft.leave(), { signal });
    for (const name of ["focus", "online"]) addEventListener(name, () => this.#draft.retry(), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
  }

  #key(event) {
    const isCommand = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (!isCommand) return;
    const isTyping = event.target.matches?.("input, textarea");
    if (event.key === "z" && !isTyping && this.#trackOrder.canUndo) this.#trackOrder.undo();
    else if (event.key === "s") this.#save(false);
    else return;
    event.preventDefault();
  }

  /** What the server gets, and what this browser keeps: the latter can be shown without asking. */
  #read() {
    const [title, notes] = [this.#field("title").value, this.#field("notes").value];
    const { key, url } = this.#cover;
    return {
      sent: { title, notes, cover_key: key, track_ids: this.#trackOrder.ids },
      kept: { title, notes, cover_key: key, cover_url: url, tracks: this.#trackOrder.tracks },
    };
  }

  #fill({ title, notes, cover_key: key, cover_url: url, tracks }) {
    this.#field("title").value = title;
    this.#field("notes").value = notes;
    this.#cover = { key, url };
    this.#showCover(url);
    this.#trackOrder.fill(tracks);
    this.#showTrackOrder();
  }

  #showTrackOrder() {
    showTotals(this.#part("totals"), this.#trackOrder);
    const isEmpty = !this.#trackOrder.tracks.length;
    this.#part("empty").hidden = !isEmpty;
    this.#part("preview").disabled = isEmpty;
  }

  /** Go on with what this browser kept, where the server has not got it. */
  #restore(stored) {
    const copy = recallDraft(this.#draft.copyName);
    if (!copy || sameText(copy.state, stored)) return;
    // Without a newer revision on the server, what is here is what was typed last. With one, the
    // save tells of the conflict, and both are still there to choose from.
    this.#fill(copy.state);
    this.#draft.resume(copy.revision);
    say("Your unsaved changes were restored.");
  }

  #loadOther() {
    forgetDraft(this.#draft.copyName);
    this.#draft.close();
    const { slug, url } = this.#draft;
    if (this.#draft.state === "gone" && !slug) return this.#page.go(url.replace(/\/api\/drafts$/, "/mixtapes"));
    return this.#page.go(location.href, true);
  }

  async #save(overwrite) {
    const button = this.#part("save");
    if (button.disabled) return;
    if (!this.#field("title").value.trim()) {
      this.#complain("Give the mixtape a title first.");
      return this.#field("title").focus();
    }
    button.disabled = true;
    try {
      const answer = await this.#draft.publish(overwrite);
      if (answer) await this.#saved(answer);
    } catch (error) {
      this.#refused(error);
    }
    button.disabled = false;
  }

  async #saved({ edit_url: url, task }) {
    await this.#page.go(url, true);
    // Caching goes on as a quiet line; what comes next is to give the mixtape away.
    if (task) showProgress(task, false);
    openSharePanel();
  }

  #refused(error) {
    const notice = this.#part("notice");
    notice.hidden = false;
    notice.replaceChildren(Object.assign(document.createElement("span"), { textContent: error.message }));
    if (error.status !== 409) return;
    const again = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-outline", textContent: "Save mine instead" });
    again.addEventListener("click", () => this.#save(true));
    notice.append(again);
  }

  #complain(message) {
    this.#part("title-problem").textContent = message;
    this.#field("title").toggleAttribute("aria-invalid", Boolean(message));
  }
}

function sameText(kept, stored) {
  const ids = ({ tracks }) => tracks.map(({ id }) => id).join();
  const names = ["title", "notes", "cover_key"];
  return names.every((name) => kept[name] === stored[name]) && ids(kept) === ids(stored);
}
