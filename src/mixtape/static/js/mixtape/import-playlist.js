// The import of a playlist: a file is sent, and becomes the draft of a mixtape.

import { send } from "../shared/api.js";
import { plural, translate } from "../shared/words.js";

/** @param {HTMLElement} element @param {{go: (url: string) => void}} page */
export function attachImportPlaylist(element, page) {
  const input = element.querySelector("input");
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    input.disabled = true;
    show(element, translate("Looking for its tracks in your library …"));
    try {
      const url = `${element.dataset.importPlaylist}?name=${encodeURIComponent(file.name)}`;
      const draft = await send("POST", url, file);
      if (draft.missing.length) tellMissing(element, draft);
      else page.go(draft.url);
    } catch (error) {
      show(element, error.message);
    } finally {
      input.disabled = false;
      input.value = "";
    }
  });
}

function tellMissing(element, draft) {
  const found = plural("%(num)s track found", "%(num)s tracks found", draft.found);
  const lost = plural("%(num)s is not in your library:", "%(num)s are not in your library:", draft.missing.length);
  show(element, `${found}, ${lost}`, draft.missing, draft.url);
}

/** @param {HTMLElement} element @param {string} text @param {string[]} [missing] @param {string} [url] */
function show(element, text, missing = [], url = "") {
  const part = (name) => element.querySelector(`[data-part="${name}"]`);
  part("text").textContent = text;
  part("missing").replaceChildren(
    ...missing.map((name) => Object.assign(document.createElement("li"), { textContent: name })),
  );
  part("missing").hidden = missing.length === 0;
  part("open").hidden = url === "";
  if (url) part("open").href = url;
  element.querySelector("[role=status]").hidden = false;
}
