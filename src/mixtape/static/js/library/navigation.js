// Going from page to page without a new document, so that the music goes on.

import { loadMore, loadedPages } from "./more.js";
import { showTrouble } from "./trouble.js";
import { debounced } from "../shared/debounce.js";
import { translate } from "../shared/words.js";

const TIMEOUT_MS = 20_000;
const SETTLED_MS = 150;

/**
 * @param {HTMLElement} main the part of the page that changes
 * @param {() => void} onChange
 * @returns {(url: string, replaces?: boolean) => Promise<void>} goes to another page, or to a new state of this one
 */
export function attachNavigation(main, onChange) {
  let loading = new AbortController();
  // Between a Back and its page, what is seen belongs to another entry than the address.
  let isElsewhere = false;
  history.scrollRestoration = "manual";

  /** @param {string} url @param {{scrollTop?: number, more?: number}} place @param {() => void} arrive */
  async function show(url, place, arrive) {
    loading.abort();
    const mine = new AbortController();
    loading = mine;
    const timer = setTimeout(() => mine.abort("timeout"), TIMEOUT_MS);
    document.documentElement.classList.add("is-loading");
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" }, signal: mine.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main");
      const isOurs = Boolean(fresh && (page.getElementById("player") || !answer.ok));
      // A proxy that answers for a dead server is no page of ours, and no reason to lose this one.
      if (!isOurs && answer.status >= 500) throw new Error(translate("The server answered %(status)s.", { status: answer.status }));
      // No page with a player, such as that of the login: let the browser deal with it.
      if (!isOurs) return location.assign(url);
      if (place.more) await loadMore(fresh, place.more, mine.signal);
      showTrouble(null);
      arrive(answer.redirected ? answer.url : url);
      isElsewhere = false;
      main.dataset.morePages = fresh.dataset.morePages ?? "0";
      main.replaceChildren(...fresh.childNodes);
      document.title = page.title;
      main.querySelector("h1")?.focus({ preventScroll: true });
      onChange();
      scrollTo({ top: place.scrollTop ?? 0, behavior: "instant" });
    } catch (error) {
      if (mine.signal.aborted && mine.signal.reason !== "timeout") return undefined;
      const isUnreachable = error instanceof TypeError || mine.signal.aborted;
      const why = isUnreachable ? translate("The server cannot be reached.") : error.message;
      showTrouble(translate("The page cannot be loaded. %(why)s", { why }), () => show(url, place, arrive));
    } finally {
      clearTimeout(timer);
      if (loading === mine) document.documentElement.classList.remove("is-loading");
    }
    return undefined;
  }

  function keepPlace() {
    if (!isElsewhere) history.replaceState({ ...history.state, scrollTop: scrollY, more: loadedPages(main) }, "");
  }

  function go(url, replaces = false) {
    if (replaces) {
      const isSame = new URL(url, location.href).pathname === location.pathname;
      const place = { scrollTop: scrollY, more: isSame ? loadedPages(main) : 0 };
      return show(url, place, (arrived) => history.replaceState(place, "", arrived));
    }
    keepPlace();
    return show(url, {}, (arrived) => history.pushState({}, "", arrived));
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-page-link]");
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !isPlain || event.defaultPrevented) return;
    event.preventDefault();
    go(link.href);
  });
  // Often enough for a Back by a gesture, which nothing tells of before.
  const soon = debounced(keepPlace, SETTLED_MS);
  addEventListener("scroll", soon.later, { passive: true });
  addEventListener("pagehide", keepPlace);
  addEventListener("popstate", (event) => {
    soon.cancel();
    isElsewhere = true;
    show(location.href, event.state ?? {}, (arrived) => history.replaceState(event.state, "", arrived));
  });
  restore(main, onChange);
  return go;
}

/** After a reload, or a return from a page without a player: as far as it was loaded, where it was. */
async function restore(main, onChange) {
  const { scrollTop = 0, more = 0 } = history.state ?? {};
  try {
    if (more) await loadMore(main, more);
    if (more) onChange();
  } catch {
    // "Load more" is still there to be pressed.
  }
  if (scrollTop) scrollTo({ top: scrollTop, behavior: "instant" });
}
