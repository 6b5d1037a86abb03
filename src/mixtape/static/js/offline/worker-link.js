// The way to the service worker: registered where this browser has one, and told of what is kept.

/** @returns {boolean} whether this browser can keep anything here */
export function canKeep() {
  return isSecureContext && "serviceWorker" in navigator && "indexedDB" in window && "caches" in window && "locks" in navigator;
}

/**
 * @param {string} url of the worker
 * @param {string} scope the root of the site
 * @returns {Promise<boolean>} whether there is one from now on
 */
export async function registerWorker(url, scope) {
  try {
    await navigator.serviceWorker.register(url, { scope, type: "module", updateViaCache: "none" });
    return true;
  } catch {
    // Browsers without workers made of modules, and those that block them.
    return false;
  }
}

/** Let the worker see that something is kept now, or no longer. */
export async function lookAgain() {
  const registration = await navigator.serviceWorker.getRegistration();
  if (!registration) return;
  const { active, waiting, installing } = registration;
  // Firefox may have a registration without a worker, on a page that the worker answers for.
  const unseen = waiting || installing ? null : navigator.serviceWorker.controller;
  const worker = active ?? unseen ?? (await navigator.serviceWorker.ready).active;
  // Where there is none at all, the next one looks by itself as it begins.
  worker?.postMessage("look");
}
