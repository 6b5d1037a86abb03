// Going from folder to folder without a new page, so that the music goes on.

/**
 * @param {HTMLElement} main the part of the page that changes
 * @param {() => void} onChange
 * @returns {(url: string, replaces?: boolean) => void} goes to another page, or to a new state of this one
 */
export function attachNavigation(main, onChange) {
  let loading = new AbortController();
  history.scrollRestoration = "manual";

  async function show(url, scrollTop) {
    loading.abort();
    loading = new AbortController();
    document.documentElement.classList.add("is-loading");
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" }, signal: loading.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main");
      // No page with a player, such as that of the login: let the browser deal with it.
      if (!fresh || !page.getElementById("player")) return location.assign(url);
      if (answer.redirected) history.replaceState(history.state, "", answer.url);
      main.replaceChildren(...fresh.childNodes);
      document.title = page.title;
      main.querySelector("h1")?.focus({ preventScroll: true });
      scrollTo({ top: scrollTop, behavior: "instant" });
      onChange();
    } catch (error) {
      if (error.name === "AbortError") return;
      location.assign(url);
    }
    document.documentElement.classList.remove("is-loading");
  }

  function go(url, replaces = false) {
    if (replaces) return replaceBy(url);
    history.replaceState({ scrollTop: scrollY }, "");
    history.pushState({ scrollTop: 0 }, "", url);
    return show(url, 0);
  }

  function replaceBy(url) {
    history.replaceState(history.state, "", url);
    return show(url, scrollY);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-page-link]");
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !isPlain || event.defaultPrevented) return;
    event.preventDefault();
    go(link.href);
  });
  addEventListener("popstate", (event) => show(location.href, event.state?.scrollTop ?? 0));
  return go;
}
