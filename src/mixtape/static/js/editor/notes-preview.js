// "Preview" shows the liner notes as listeners see them; pressed again, the field is back.

import { send } from "../shared/api.js";
import { toast } from "../shared/spoken.js";

/** @param {HTMLElement} box the editor */
export function attachNotesPreview(box) {
  const [button, shown] = ["notes-preview", "notes-shown"].map((name) => box.querySelector(`[data-part="${name}"]`));
  const field = box.querySelector("#notes");
  const show = (isPreview) => {
    button.setAttribute("aria-pressed", String(isPreview));
    field.hidden = isPreview;
    shown.hidden = !isPreview;
  };
  button.addEventListener("click", async () => {
    if (!shown.hidden) {
      show(false);
      return field.focus();
    }
    try {
      const { html } = await send("POST", box.dataset.notesUrl, { notes: field.value });
      // Made and cleaned by the server; the page's policy runs nothing that might be in it.
      shown.innerHTML = html;
      show(true);
      shown.focus({ preventScroll: true });
    } catch (error) {
      toast(error.message);
    }
  });
}
