// The service worker. Online everything comes from the server, of which this keeps nothing by itself;
// what somebody has kept is there when the network is not.

import { changeTape, findTape, findWhole, listTapes, readTrack } from "./shelf.js";
import { answer } from "./slices.js";
import { OFFLINE_CACHE } from "./names.js";

const ROOT = new URL(registration.scope).pathname;
const TRACK = /^mixtapes\/[^/]+\/tracks\/[^/]+$/;
const STATIC = /^static[/]/;
const OF_A_TAPE = /^mixtapes\/[^/]+\/(?:covers|icons)\/|^mixtapes\/[^/]+\/manifest\.webmanifest$/;
// A tunnel: the browser believes that it is online, and nothing comes.
const PATIENCE_MS = 5000;
// What proxies say where the server itself is gone.
const GATEWAY = new Set([502, 503, 504]);
const CLOSED = new Set([404, 410]);

/** Pages that came from a kept copy, by client, with its cache: what belongs to them comes from there too. */
const fromCopy = new Map();
/** Whether nothing is kept at all; null while that is not known. */
let isEmpty = null;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(look()));
addEventListener("message", (event) => {
  // A page has kept or removed something.
  if (event.data === "look") event.waitUntil(look().then(() => (isEmpty ? null : clients.claim())));
});
addEventListener("fetch", (event) => {
  const { method, url, cache, destination, mode } = event.request;
  const { origin, pathname, search } = new URL(url);
  if (origin !== location.origin || !pathname.startsWith(ROOT)) return;
  // A script that asks for no-store wants the word of the server: so do the pages that keep something.
  if (cache === "no-store" && !destination) return;
  if (isEmpty === null) event.waitUntil(look());
  if (isEmpty || (method !== "GET" && method !== "HEAD")) return;
  const below = pathname.slice(ROOT.length);
  if (mode === "navigate") event.respondWith(open(event, pathname));
  else if (TRACK.test(below)) event.respondWith(play(event.request, pathname + search));
  else if (STATIC.test(below) || OF_A_TAPE.test(below)) event.respondWith(bring(event));
});

async function look() {
  try {
    isEmpty = (await listTapes()).length === 0;
  } catch {
    // A browser that keeps nothing, as in some private windows.
    isEmpty = true;
  }
}

/** A page: the server's where it answers, else the copy. */
async function open(event, pathname) {
  const tape = await findTape(pathname).catch(() => null);
  if (!tape?.cache) {
    return fetch(event.request).catch(async (error) => {
      const page = await caches.match(`${ROOT}offline`, { cacheName: OFFLINE_CACHE });
      if (!page) throw error;
      fromCopy.set(event.resultingClientId, OFFLINE_CACHE);
      return page;
    });
  }
  const found = await Promise.race([
    fetch(event.request).catch(() => null),
    new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, null)),
  ]);
  // A copy of the owner's goes with the session. Of others it was given away, as a cassette is.
  const isClosed = CLOSED.has(found?.status) && !tape.isOwners;
  if (found && isClosed !== tape.isClosed && (found.ok || isClosed)) await changeTape(pathname, { isClosed });
  if (found && !isClosed && !GATEWAY.has(found.status)) return found;
  const copy = await caches.match(pathname, { cacheName: tape.cache, ignoreVary: true });
  if (copy) fromCopy.set(event.resultingClientId, tape.cache);
  return copy ?? found ?? Response.error();
}

/** A track at a quality: what is kept of it, else from the server. */
async function play(request, url) {
  try {
    const track = await findWhole(url);
    if (track) return await answer(request, track, () => readTrack(track.id));
  } catch (error) {
    console.warn("what is kept cannot be read", error);
  }
  return fetch(request);
}

/** What a page is made of. A copy keeps to its own, so that no page is of two versions. */
async function bring({ request, clientId }) {
  const cacheName = fromCopy.get(clientId);
  const options = { ignoreVary: true };
  const own = cacheName && (await caches.match(request, { ...options, cacheName }));
  if (own) return own;
  try {
    return await fetch(request);
  } catch (error) {
    const other = await caches.match(request, options);
    if (other) return other;
    throw error;
  }
}
