// "Load more" puts the next page below what is there.

import { count } from "../shared/format.js";
import { say } from "../shared/spoken.js";

/** @param {HTMLElement} main @param {{rowsChanged: () => void}} page */
export function attachMore(main, { rowsChanged }) {
  main.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-more]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.getAttribute("aria-busy") === "true") return;
    link.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const more = page.querySelector("main [data-more-into]");
      if (answer.redirected || !more) return location.assign(link.href);
      const items = [...more.children];
      main.querySelector("[data-more-into]").append(...items);
      showNext(link, page.querySelector("a[data-more]"));
      items[0]?.querySelector("a, button")?.focus();
      say(`${count(items.length)} more`);
      rowsChanged();
    } catch {
      link.removeAttribute("aria-busy");
      say("The server cannot be reached.");
    }
  });
}

function showNext(link, next) {
  if (!next) return link.parentElement.remove();
  link.href = next.getAttribute("href");
  link.removeAttribute("aria-busy");
}
