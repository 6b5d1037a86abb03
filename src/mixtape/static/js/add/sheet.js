// The sheet that asks where to add something.

import { RatingChoice } from "../marks/rating.js";
import { plural, translate } from "../shared/words.js";

/** Fires nothing: what was chosen goes to the `ways` that it was opened with. */
export class AddSheet {
  #dialog;
  #targets;
  #opener = null;
  #ways = null;
  #rating;

  /** @param {HTMLDialogElement} dialog @param {import("./targets.js").Targets} targets */
  constructor(dialog, targets) {
    this.#dialog = dialog;
    this.#targets = targets;
    this.#part("new").addEventListener("submit", (event) => {
      event.preventDefault();
      const title = this.#part("title").value.trim();
      if (title) this.#choose(() => this.#ways.create(title));
      else this.#part("title").focus();
    });
    for (const name of ["next", "queue", "star"]) this.#part(name).addEventListener("click", () => this.#choose(() => this.#ways[name]()));
    this.#part("targets").addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this.#choose(() => this.#ways.add(this.#targets.known[Number(button.dataset.index)]));
    });
    dialog.addEventListener("click", (event) => event.target === dialog && isOutside(event, dialog) && this.close());
    dialog.addEventListener("close", () => this.#returnFocus());
    this.#rating = new RatingChoice(this.#part("rating"), (message) => this.#say(message));
  }

  /**
   * @param {import("./subject.js").Subject} subject
   * @param {HTMLElement} opener gets the focus back
   * @param {{add: (target: object) => Promise<void>, create: (title: string) => Promise<void>, next: () => Promise<void>, queue: () => Promise<void>, star?: () => Promise<void>, rate?: (rating: number) => Promise<void>}} ways
   * @param {{isStarred: boolean, rating: number}} state
   */
  open(subject, opener, ways, { isStarred, rating }) {
    this.#opener = opener;
    this.#ways = ways;
    this.#part("name").textContent = subject.name;
    this.#part("note").textContent = subject.note;
    this.#part("cover").src = subject.cover;
    this.#part("cover").hidden = !subject.cover;
    this.#part("title").value = subject.name;
    this.#part("star").hidden = !ways.star;
    this.#part("star").setAttribute("aria-pressed", String(isStarred));
    this.#rating.show(rating, ways.rate);
    this.#show("choice");
    this.#list(this.#targets.known);
    this.#setBusy(false);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#targets.load().then(
      (found) => this.#list(found),
      (error) => this.#say(error.message),
    );
  }

  /**
   * Ask something before it goes on.
   *
   * @param {string} question
   * @param {{label: string, act: () => Promise<void>}[]} answers
   * @param {HTMLElement} [opener] where the sheet is not open yet
   */
  ask(question, answers, opener) {
    if (opener) this.#opener = opener;
    this.#part("question").textContent = question;
    const buttons = answers.map(({ label, act }, index) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
      button.className = `btn ${index ? "btn-outline" : "btn-primary"}`;
      button.addEventListener("click", () => this.#choose(act));
      return button;
    });
    const not = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-quiet", textContent: translate("Not now") });
    not.addEventListener("click", () => this.close());
    this.#part("answers").replaceChildren(...buttons, not);
    this.#show("asking");
    this.#setBusy(false);
    if (!this.#dialog.open) this.#dialog.showModal();
    buttons[0].focus();
  }

  close() {
    this.#dialog.close();
  }

  /** Do what was chosen, once, whatever else is pressed meanwhile. */
  async #choose(act) {
    if (this.#dialog.getAttribute("aria-busy") === "true") return;
    this.#setBusy(true);
    try {
      await act();
    } catch (error) {
      this.#say(error.message);
    }
    this.#setBusy(false);
  }

  #setBusy(isBusy) {
    this.#dialog.setAttribute("aria-busy", String(isBusy));
    if (isBusy) this.#say("");
  }

  #show(name) {
    for (const each of ["choice", "asking"]) this.#part(each).hidden = each !== name;
    this.#say("");
  }

  #say(message) {
    this.#part("problem").textContent = message;
  }

  #list(targets) {
    const template = this.#dialog.querySelector("template");
    const focused = this.#dialog.ownerDocument.activeElement?.dataset?.url;
    const rows = targets.map((target, index) => {
      const row = template.content.firstElementChild.cloneNode(true);
      const button = row.querySelector("button");
      button.dataset.index = String(index);
      button.dataset.url = target.url;
      row.querySelector("img").src = target.cover;
      row.querySelector('[data-part="target-title"]').textContent = target.title;
      row.querySelector('[data-part="target-facts"]').textContent = factsOf(target);
      return row;
    });
    this.#part("targets").replaceChildren(...rows);
    this.#part("targets").hidden = !rows.length;
    if (focused) this.#part("targets").querySelector(`[data-url="${CSS.escape(focused)}"]`)?.focus();
  }

  #returnFocus() {
    // A row may be gone by now, and what is out of sight takes no focus.
    const opener = this.#opener?.isConnected ? this.#opener : document.querySelector("main h1");
    opener?.focus({ preventScroll: true });
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-part="${name}"]`);
  }
}

/** @param {import("./targets.js").Target} target @returns {string} */
export function factsOf({ tracks, saved }) {
  const words = plural("%(num)s track", "%(num)s tracks", tracks);
  return saved ? words : `${words} · ${translate("not saved yet")}`;
}

function isOutside({ clientX, clientY }, dialog) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
