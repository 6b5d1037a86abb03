// The downloads of a mixtape: how large each is, to the byte, before anybody begins one.

import { attachCopyButtons } from "./copy.js";
import { send } from "../shared/api.js";
import { size } from "../shared/format.js";
import { translate } from "../shared/words.js";

/** @param {HTMLDetailsElement} panel */
export function attachTakeAlong(panel) {
  attachCopyButtons(panel);
  let isAsked = false;
  const ask = async () => {
    if (!panel.open || isAsked) return;
    isAsked = true;
    const problem = panel.querySelector('[data-part="problem"]');
    problem.textContent = "";
    try {
      const { qualities } = await send("GET", panel.dataset.takeAlong);
      show(panel, qualities);
    } catch (error) {
      isAsked = false;
      problem.textContent = error.message;
    }
  };
  panel.addEventListener("toggle", ask);
  ask();
}

/** @param {HTMLElement} panel @param {{name: string, zip: number, mp3: number | null}[]} qualities */
function show(panel, qualities) {
  for (const quality of qualities) {
    for (const kind of ["zip", "mp3"]) {
      const link = panel.querySelector(`[data-size-of="${kind}"][data-quality="${quality.name}"]`);
      if (!link) continue;
      link.closest("li").hidden = quality[kind] === null;
      if (quality[kind] === null) continue;
      const part = link.querySelector('[data-part="size"]');
      part.textContent = size(quality[kind]);
      part.title = translate("%(bytes)s bytes", { bytes: quality[kind].toLocaleString(document.documentElement.lang) });
    }
  }
  if (qualities.every((quality) => quality.mp3 === null)) {
    panel.querySelector('[data-part="about"]').textContent = translate(
      "Some of these tracks are MP3s or the like already, or damaged: joined into one file they would lose quality. The ZIP has them all as they are.",
    );
  }
}
