// What the draft's state means for whoever is typing, and the ways out.

const LINES = {
  saved: "Draft saved",
  unsaved: "Saving the draft …",
  saving: "Saving the draft …",
  offline: "Not saved yet",
  ended: "Not saved yet",
  gone: "Not saved",
  conflict: "Not saved",
  refused: "Not saved",
};

/**
 * @param {HTMLElement} box the editor
 * @param {import("./draft.js").Draft} draft
 * @param {{loadOther: () => void}} ways
 */
export function attachNotice(box, draft, { loadOther }) {
  const [line, notice] = ["state", "notice"].map((name) => box.querySelector(`[data-part="${name}"]`));
  const keep = button("Keep mine", () => draft.keepMine());
  const load = button("Load the other", loadOther);
  const show = () => {
    line.textContent = LINES[draft.state];
    const parts = partsFor(draft, box.dataset.login, keep, load);
    notice.replaceChildren(...parts);
    notice.hidden = !parts.length;
  };
  draft.addEventListener("state", show);
}

function partsFor(draft, loginUrl, keep, load) {
  const kept = "What you typed is kept in this browser";
  if (draft.state === "offline") return [text(`${draft.message} ${kept} and saved as soon as that works again.`)];
  if (draft.state === "ended") return [text(`Your session has ended. ${kept}; sign in, and it is saved.`), signIn(loginUrl)];
  if (draft.state === "conflict") return [text("This draft was changed in another tab or on another device."), keep, load];
  if (draft.state === "gone") return [text("This draft was saved or discarded in another tab or on another device."), keep, load];
  if (draft.state === "refused") return [text(draft.message)];
  return [];
}

function signIn(url) {
  // A new tab: this one keeps what was typed in plain sight.
  return Object.assign(document.createElement("a"), { className: "btn btn-primary", href: url, target: "_blank", textContent: "Sign in" });
}

function text(message) {
  return Object.assign(document.createElement("span"), { textContent: message });
}

function button(message, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-outline", textContent: message });
  made.addEventListener("click", act);
  return made;
}
