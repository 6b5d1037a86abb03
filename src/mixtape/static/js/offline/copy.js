// The copy of a page, with all that it is made of.

import { readTracks } from "../library/track-list.js";
import { Refusal } from "./download.js";

const MOST_AT_ONCE = 6;
const IN_SCRIPTS = /(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g;
const IN_STYLES = /url\(\s*["']?([^"')]+)["']?\s*\)/g;

/**
 * @typedef {object} PageCopy
 * @property {string} html the page as it is stored
 * @property {Headers} headers
 * @property {Document} document
 * @property {import("../player/player.js").Track[]} tracks
 */

/** Read a page from the server. @param {string} path @param {RequestInit} options @returns {Promise<PageCopy>} */
export async function readPage(path, options) {
  const answer = await fetch(path, { cache: "no-store", headers: { Accept: "text/html" }, ...options });
  if (!answer.ok) throw Refusal.of(answer.status);
  // A page that asks for a password first, for one.
  if (new URL(answer.url).pathname !== new URL(path, location.href).pathname) throw new Refusal("refused", answer.status);
  const html = await answer.text();
  const headers = new Headers(answer.headers);
  for (const name of ["Content-Encoding", "Content-Length", "Set-Cookie"]) headers.delete(name);
  const document = new DOMParser().parseFromString(html, "text/html");
  // What the scripts of the page know by that it is a copy.
  return { html: html.replace("<html ", "<html data-kept "), headers, document, tracks: readTracks(document) };
}

/**
 * Store a page under its path, after all that it is made of.
 *
 * @param {string} name of the cache
 * @param {string} path
 * @param {PageCopy} page
 * @param {string} root of the site, with a slash at its end
 * @param {AbortSignal} signal
 */
export async function storePage(name, path, page, root, signal) {
  const cache = await caches.open(name);
  const prefixes = [`${root}static/`, ...["covers", "icons", "manifest.webmanifest"].map((part) => `${path}/${part}`)];
  const isOurs = ({ origin, pathname }) => origin === location.origin && prefixes.some((prefix) => pathname.startsWith(prefix));
  const seen = new Set();
  const waiting = [];
  const want = (url) => {
    url.hash = "";
    if (!isOurs(url) || seen.has(url.href)) return;
    seen.add(url.href);
    waiting.push(url);
  };
  for (const { attributes } of page.document.querySelectorAll("*")) {
    for (const { value } of attributes) if (value.startsWith("/")) want(new URL(value, location.href));
  }
  const take = async () => {
    for (let url = waiting.pop(); url; url = waiting.pop()) {
      const answer = await fetch(url, { cache: "no-cache", signal });
      // A cover may be gone; a script is not.
      if (!answer.ok) continue;
      for (const address of await namedIn(url, answer)) want(new URL(address, url));
      await cache.put(url, answer);
    }
  };
  // What is found in one file is for all to fetch.
  while (waiting.length) await Promise.all(Array.from({ length: MOST_AT_ONCE }, take));
  await cache.put(path, new Response(page.html, { headers: page.headers }));
}

/**
 * @param {string} cacheName
 * @param {string} path
 * @param {PageCopy} page
 * @returns {Promise<boolean>} whether this is what is stored already; pages tell of any change to what they are made of
 */
export async function isStored(cacheName, path, page) {
  const copy = cacheName && (await caches.match(path, { cacheName, ignoreVary: true }));
  return Boolean(copy) && (await copy.text()) === page.html;
}

/** @returns {Promise<string[]>} what a script imports, and what a style shows */
async function namedIn({ pathname }, answer) {
  const pattern = pathname.endsWith(".js") ? IN_SCRIPTS : pathname.endsWith(".css") ? IN_STYLES : null;
  if (!pattern || pathname.includes("/vendor/")) return [];
  return [...(await answer.clone().text()).matchAll(pattern)].map(([, address]) => address);
}
