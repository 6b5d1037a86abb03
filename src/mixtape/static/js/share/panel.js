// The panel that a save ends at: the links of a mixtape, each with the ways to give it away.

import { send } from "../shared/api.js";
import { translate } from "../shared/words.js";
import { LinkCard } from "./link-card.js";

const OPEN = "open-share";

/** Open the panel of the page, where it has one. */
export function openSharePanel() {
  document.querySelector("[data-share-panel]")?.dispatchEvent(new Event(OPEN));
}

/** @param {HTMLDialogElement} dialog @param {{go: (url: string, replaces?: boolean) => void}} page */
export function attachSharePanel(dialog, page) {
  const panel = new SharePanel(dialog, page);
  return () => panel.close();
}

class SharePanel {
  #dialog;
  #page;
  #list;
  #template;
  #changes = 0;
  #listening = new AbortController();

  constructor(dialog, page) {
    this.#dialog = dialog;
    this.#page = page;
    this.#list = this.#part("links");
    this.#template = this.#part("link-template");
    const { signal } = this.#listening;
    this.#part("close").addEventListener("click", () => dialog.close());
    this.#part("add").addEventListener("click", () => this.#add());
    dialog.addEventListener(OPEN, () => this.#open());
    // A press beside the panel closes it: only there the dialog itself is what is pressed.
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    document.addEventListener("click", (event) => event.target.closest("[data-open-share]") && this.#open(), { signal });
    this.#show(JSON.parse(dialog.dataset.links));
  }

  close() {
    this.#listening.abort();
    this.#dialog.close();
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-part="${name}"]`);
  }

  async #open() {
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#list.querySelector('[data-part="copy"]')?.focus();
    const changes = this.#changes;
    try {
      const { links } = await send("GET", this.#dialog.dataset.api);
      // Somebody who has begun to change something keeps it, and what was changed meanwhile is newer.
      const isFree = !this.#list.querySelector("form:not([hidden])") && changes === this.#changes;
      if (isFree) this.#show(links);
    } catch {
      // What the page was made with is shown; whatever is pressed says what is wrong.
    }
  }

  #show(links) {
    const focused = this.#list.contains(document.activeElement) ? document.activeElement.dataset.part : "";
    this.#list.replaceChildren(...links.map((link) => this.#make(link).element));
    if (focused) this.#list.querySelector(`[data-part="${focused}"]`)?.focus();
  }

  #make(link) {
    const element = this.#template.content.firstElementChild.cloneNode(true);
    return new LinkCard(element, link, {
      title: this.#dialog.dataset.title,
      tell: (message, isProblem) => this.#tell(message, isProblem),
      changed: () => (this.#changes += 1),
      // The page's other addresses hold the old name of the mixtape.
      moved: (url) => this.#page.go(url, true).then(openSharePanel),
    });
  }

  async #add() {
    try {
      const card = this.#make(await send("POST", this.#dialog.dataset.api, {}));
      this.#changes += 1;
      this.#list.append(card.element);
      card.edit();
      this.#tell(translate("There is another link."));
    } catch (error) {
      this.#tell(error.message, true);
    }
  }

  #tell(message, isProblem = false) {
    const line = this.#part("spoken");
    line.classList.toggle("visually-hidden", !isProblem);
    line.textContent = message;
  }
}
