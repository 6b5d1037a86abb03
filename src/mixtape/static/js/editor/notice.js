// What the draft's state means for whoever is typing, and the ways out.

import { translate } from "../shared/words.js";

const LINES = {
  saved: translate("Draft saved"),
  unsaved: translate("Saving the draft …"),
  saving: translate("Saving the draft …"),
  offline: translate("Not saved yet"),
  ended: translate("Not saved yet"),
  gone: translate("Not saved"),
  conflict: translate("Not saved"),
  refused: translate("Not saved"),
};

/**
 * @param {HTMLElement} box the editor
 * @param {import("./draft.js").Draft} draft
 * @param {{loadOther: () => void}} ways
 */
export function attachNotice(box, draft, { loadOther }) {
  const [line, notice] = ["state", "notice"].map((name) => box.querySelector(`[data-part="${name}"]`));
  const keep = button(translate("Keep mine"), () => draft.keepMine());
  const load = button(translate("Load the other"), loadOther);
  const show = () => {
    line.textContent = LINES[draft.state];
    const parts = partsFor(draft, box.dataset.login, keep, load);
    notice.replaceChildren(...parts);
    notice.hidden = !parts.length;
  };
  draft.addEventListener("state", show);
}

function partsFor(draft, loginUrl, keep, load) {
  const { message } = draft;
  const toKeep = [keep, load];
  if (draft.state === "offline") return [text(translate("%(message)s What you typed is kept in this browser and saved as soon as that works again.", { message }))];
  if (draft.state === "ended") return [text(translate("Your session has ended. What you typed is kept in this browser; sign in, and it is saved.")), signIn(loginUrl)];
  if (draft.state === "conflict") return [text(translate("This draft was changed in another tab or on another device.")), ...toKeep];
  if (draft.state === "gone") return [text(translate("This draft was saved or discarded in another tab or on another device.")), ...toKeep];
  if (draft.state === "refused") return [text(message)];
  return [];
}

function signIn(url) {
  // A new tab: this one keeps what was typed in plain sight.
  return Object.assign(document.createElement("a"), { className: "btn btn-primary", href: url, target: "_blank", textContent: translate("Sign in") });
}

function text(message) {
  return Object.assign(document.createElement("span"), { textContent: message });
}

function button(message, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-outline", textContent: message });
  made.addEventListener("click", act);
  return made;
}
