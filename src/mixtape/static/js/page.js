// Gives the parts of a page their behaviour, on the first page and after every change of page.

import { attachDevices } from "./accounts/devices.js";
import { attachPeople } from "./accounts/people.js";
import { attachCacheButtons } from "./mixtape/cache-button.js";
import { attachCopyButtons } from "./mixtape/copy.js";
import { attachEditor } from "./editor/editor.js";
import { attachImportPlaylist } from "./mixtape/import-playlist.js";
import { attachListenBrainz } from "./marks/listenbrainz.js";
import { attachMore } from "./library/more.js";
import { attachPageRating } from "./marks/page-rating.js";
import { attachReadiness } from "./mixtape/readiness.js";
import { attachRemoveButtons } from "./mixtape/remove-button.js";
import { attachScan } from "./library/scan.js";
import { attachSearch } from "./library/search.js";
import { attachReadyLine } from "./share/ready-line.js";
import { attachSharePanel } from "./share/panel.js";

const BY_SELECTOR = [
  ["[data-editor]", attachEditor],
  ["[data-search]", attachSearch],
  ["[data-scan]", attachScan],
  ["[data-readiness]", attachReadiness],
  ["[data-ready-line]", attachReadyLine],
  ["[data-share-panel]", attachSharePanel],
  ["[data-import-playlist]", attachImportPlaylist],
  ["[data-devices]", attachDevices],
  ["[data-people]", attachPeople],
  ["[data-listenbrainz]", attachListenBrainz],
  ["[data-rate]", attachPageRating],
];

/**
 * @param {HTMLElement} main
 * @param {{rowsChanged: () => void, go: (url: string, replaces?: boolean) => void, player: import("./player/player.js").Player, stars: import("./marks/stars.js").Stars}} page
 * @returns {() => void} to be called when what `main` holds has been replaced
 */
export function attachPage(main, page) {
  let cleanups = [];
  for (const attach of [attachMore, attachCacheButtons, attachCopyButtons, attachRemoveButtons]) attach(main, page);

  const mount = () => {
    for (const cleanup of cleanups) cleanup();
    cleanups = [];
    for (const [selector, attach] of BY_SELECTOR) {
      for (const element of main.querySelectorAll(selector)) {
        const cleanup = attach(element, page);
        if (cleanup) cleanups.push(cleanup);
      }
    }
    markPlace();
  };
  mount();
  return mount;
}

/** Mark where in the site we are. */
function markPlace() {
  for (const link of document.querySelectorAll("[data-nav]")) {
    const { pathname } = location;
    const isHere = pathname.startsWith(link.dataset.nav) || [new URL(link.href).pathname, link.dataset.navToo].includes(pathname);
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
