// What plays, on the whole window: its cover, what was written to it, and all that there is to press.

import { attachTransport } from "./controls.js";
import { artwork } from "../shared/covers.js";
import { translate } from "../shared/words.js";

// In the history of the page, so that Back closes it, as people who hold a phone expect.
const MARK = "isNow";

/** @param {HTMLDialogElement} dialog @param {import("./player.js").Player} player */
export function attachNowPlaying(dialog, player) {
  const part = (name) => dialog.querySelector(`[data-part="${name}"]`);
  attachTransport(part, player);
  attachCover(part("cover"), player);
  player.addEventListener("track", () => {
    const { title, artist, album, note } = player.track;
    part("title").textContent = title;
    part("artist").textContent = artist || translate("Unknown artist");
    part("album").textContent = album;
    part("note").textContent = note ?? "";
  });
  for (const name of ["track", "queue"]) {
    player.addEventListener(name, () => {
      const next = player.upcoming;
      part("coming").textContent = next ? translate("Next: %(title)s", { title: next.title }) : translate("Queue");
    });
  }
  closeByBack(dialog);
}

/** Show the cover as large as it is had; only once somebody looks, as it is many times what the bar shows. */
function attachCover(image, player) {
  const show = () => {
    const { cover } = player.track ?? {};
    image.hidden = !cover;
    if (cover && image.closest("dialog").open) image.src = artwork(cover).at(-1).src;
  };
  image.addEventListener("error", () => {
    const { cover } = player.track;
    // Of a tape that is kept, the size that its page shows is there in any case.
    const isOther = image.src !== new URL(cover, location.href).href;
    if (isOther) image.src = cover;
    else image.hidden = true;
  });
  player.addEventListener("track", show);
  new MutationObserver(show).observe(image.closest("dialog"), { attributeFilter: ["open"] });
}

/** @param {HTMLDialogElement} dialog that is an entry of the history while it is open */
function closeByBack(dialog) {
  const isMarked = () => Boolean(history.state?.[MARK]);
  let isLeaving = false;
  // A page that was left while it was open, and loaded again.
  if (isMarked()) history.replaceState({ ...history.state, [MARK]: undefined }, "");
  new MutationObserver(() => {
    if (dialog.open && !isMarked()) history.pushState({ ...history.state, [MARK]: true }, "");
    if (dialog.open || !isMarked()) return;
    isLeaving = true;
    history.back();
  }).observe(dialog, { attributeFilter: ["open"] });
  addEventListener("popstate", (event) => {
    if (!isLeaving && !dialog.open && !isMarked()) return;
    // The page is the same: whoever goes from page to page has nothing to do.
    event.stopImmediatePropagation();
    isLeaving = false;
    if (isMarked() && !dialog.open) dialog.showModal();
    else if (!isMarked()) dialog.close();
  });
}
