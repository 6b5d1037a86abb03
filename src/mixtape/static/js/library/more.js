// "Load more" puts the next page below what is there.

import { say, toast } from "../shared/spoken.js";
import { plural, translate } from "../shared/words.js";

/** @param {HTMLElement} main @param {{rowsChanged: () => void}} page */
export function attachMore(main, { rowsChanged }) {
  main.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-more]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.getAttribute("aria-busy") === "true") return;
    link.setAttribute("aria-busy", "true");
    try {
      const items = await loadNext(main, link);
      items.find((item) => item.querySelector("a, button"))?.querySelector("a, button").focus();
      say(plural("%(num)s more", "%(num)s more", items.length));
      rowsChanged();
    } catch {
      link.removeAttribute("aria-busy");
      toast(translate("The server cannot be reached."), { label: translate("Try again"), act: () => link.click() });
    }
  });
}

/** @param {HTMLElement} main @returns {number} how many pages were put below the first */
export function loadedPages(main) {
  return Number(main.dataset.morePages ?? 0);
}

/**
 * Put some more pages below the first at once, as after going back.
 *
 * @param {HTMLElement} main need not be in the document yet
 * @param {number} pages
 * @param {AbortSignal} [signal]
 */
export async function loadMore(main, pages, signal) {
  for (let page = 0; page < pages; page += 1) {
    const link = main.querySelector("a[data-more]");
    if (!link) return;
    await loadNext(main, link, signal);
  }
}

async function loadNext(main, link, signal) {
  const answer = await fetch(link.getAttribute("href"), { headers: { Accept: "text/html" }, signal });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const lists = [...page.querySelectorAll("main [data-more-into]")];
  if (!answer.ok || answer.redirected || !lists.length) throw new Error(`no more at ${link.href}`);
  const items = lists.flatMap((list) => append(main, link, list));
  main.dataset.morePages = String(Number(main.dataset.morePages ?? 0) + 1);
  const next = page.querySelector("a[data-more]");
  if (next) link.setAttribute("href", next.getAttribute("href"));
  else link.parentElement.remove();
  link.removeAttribute("aria-busy");
  return items;
}

/** Put the items of a list below those of the same one here; the first of a kind brings the list. */
function append(main, link, list) {
  const items = [...list.children];
  const here = main.querySelector(`[data-more-into="${list.dataset.moreInto}"]`);
  if (here) here.append(...items);
  else link.parentElement.before(list.closest("section") ?? list);
  return items;
}
