// One link of a mixtape in the panel: copied, shared, shown as a QR code, and its terms changed.

import { copy, nameButton } from "../mixtape/copy.js";
import { send } from "../shared/api.js";
import { confirmed } from "../shared/confirm.js";
import { translate } from "../shared/words.js";
import { dayOf, endOfDay, heardText, stateText } from "./link-words.js";

/**
 * @typedef {object} Ways
 * @property {string} title of the mixtape
 * @property {(message: string, isProblem?: boolean) => void} tell says something to screen readers, and a problem to all
 * @property {() => void} changed what was asked for before is no longer true
 * @property {(url: string) => void} moved the mixtape has another address
 */

export class LinkCard {
  /** @param {HTMLElement} element @param {object} link as the server describes it @param {Ways} ways */
  constructor(element, link, ways) {
    this.element = element;
    this.link = link;
    this.ways = ways;
    this.#listen();
    this.#show();
  }

  /** Open the settings, for somebody who has just made this link. */
  edit() {
    this.#toggle("settings", "terms", true);
    this.#field("name").focus();
  }

  #part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  #field(name) {
    return this.#part("terms").elements[name];
  }

  #listen() {
    const on = (name, act) => this.#part(name).addEventListener("click", act);
    on("copy", () => this.#copy());
    on("embed-copy", () => copy(this.link.embed_code, this.#part("embed-copy"), this.ways.tell));
    on("share", () => this.#share());
    on("qr", () => this.#toggle("qr", "qr-image"));
    on("settings", () => this.#toggle("settings", "terms"));
    on("renew", () => this.#renew());
    on("remove", () => this.#remove());
    for (const name of ["address", "embed-code"]) this.#part(name).addEventListener("focus", () => this.#part(name).select());
    this.#part("terms").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
  }

  #show() {
    const { link } = this;
    this.#part("heading").textContent = link.name || (link.is_first ? translate("The link") : translate("Another link"));
    this.#part("state").textContent = stateText(link);
    this.#part("heard").textContent = heardText(link);
    this.#part("heard").hidden = !link.tells_progress;
    this.#part("address").value = link.address;
    this.#part("card").href = link.card_url;
    // Nothing leads to where nobody gets in: a card that is printed cannot be called back.
    const isUsable = link.is_open && !link.is_expired;
    for (const name of ["qr", "card"]) this.#part(name).hidden = !isUsable;
    this.#part("share").hidden = !isUsable || !navigator.share;
    this.#part("qr-image").hidden = !isUsable || this.#part("qr").getAttribute("aria-expanded") !== "true";
    if (!this.#part("qr-image").hidden) this.#part("qr-image").src = link.qr_url;
    this.#part("remove").hidden = link.is_first;
    this.#part("copy").hidden = link.is_expired;
    nameButton(this.#part("copy"), link.is_open ? translate("Copy") : translate("Switch on and copy"));
    this.element.classList.toggle("is-off", !isUsable);
    this.#fill();
  }

  #fill() {
    const { link } = this;
    this.#field("name").value = link.name;
    this.#field("expires").value = link.expires_at ? dayOf(link.expires_at) : "";
    this.#field("password").value = "";
    this.#field("password").placeholder = link.has_password ? translate("as it is") : translate("none");
    this.#field("no_password").checked = false;
    this.#part("no-password").hidden = !link.has_password;
    for (const name of ["is_open", "tells_progress", "allows_embed"]) this.#field(name).checked = link[name];
    this.#part("embed-switch").hidden = !link.can_embed;
    this.#part("embed").hidden = !link.embed_code;
    this.#part("embed-code").value = link.embed_code ?? "";
    this.#part("problem").textContent = "";
  }

  #toggle(button, target, isShown = this.#part(target).hidden) {
    this.#part(button).setAttribute("aria-expanded", String(isShown));
    this.#part(target).hidden = !isShown;
    if (target === "qr-image" && isShown) this.#part(target).src = this.link.qr_url;
  }

  /** Copy the address, of a link that leads somewhere from now on. */
  async #copy() {
    if (!this.link.is_open) {
      try {
        this.link = await send("PATCH", this.link.url, { is_open: true });
      } catch (error) {
        return this.ways.tell(error.message, true);
      }
      this.ways.changed();
      this.#show();
    }
    return copy(this.link.address, this.#part("copy"), this.ways.tell);
  }

  async #share() {
    try {
      await navigator.share({ title: this.ways.title, url: this.link.address });
    } catch (error) {
      // Somebody who thinks better of it is no error.
      if (error.name !== "AbortError") this.ways.tell(error.message);
    }
  }

  async #save() {
    const change = { name: this.#field("name").value };
    for (const name of ["is_open", "tells_progress", "allows_embed"]) change[name] = this.#field(name).checked;
    const day = this.#field("expires").value;
    // Only what was changed: a day that is past cannot be set again.
    if (day !== (this.link.expires_at ? dayOf(this.link.expires_at) : "")) change.expires_at = day ? endOfDay(day) : null;
    if (this.#field("password").value) change.password = this.#field("password").value;
    else if (this.#field("no_password").checked) change.password = "";
    try {
      this.link = await send("PATCH", this.link.url, change);
      this.ways.changed();
      this.#show();
      // The HTML for others is what somebody wants next who has just allowed it.
      if (!this.link.embed_code) this.#toggle("settings", "terms", false);
      this.#part("settings").focus();
      this.ways.tell(translate("The link is changed."));
    } catch (error) {
      this.#part("problem").textContent = error.message;
    }
  }

  async #renew() {
    const question = translate("Give this link a new address? The old one stops working for everybody who has it.");
    if (!(await confirmed(question, translate("New address")))) return;
    try {
      const link = await send("POST", this.link.renew_url);
      if (link.is_first) return this.ways.moved(link.edit_url);
      this.link = link;
      this.ways.changed();
      this.#show();
      this.ways.tell(translate("The link has a new address."));
    } catch (error) {
      this.#part("problem").textContent = error.message;
    }
  }

  async #remove() {
    const question = translate("Remove this link? It stops working at once, even for people who are listening.");
    if (!(await confirmed(question, translate("Remove")))) return;
    try {
      await send("DELETE", this.link.url);
      this.ways.changed();
      const panel = this.element.closest("dialog");
      this.element.remove();
      panel.querySelector('[data-part="add"]').focus();
      this.ways.tell(translate("The link is removed."));
    } catch (error) {
      this.#part("problem").textContent = error.message;
    }
  }
}
