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
  // Firefox may have a registration of none, on a page that a worker answers for.
  const worker = registration.active ?? navigator.serviceWorker.controller ?? (await navigator.serviceWorker.ready).active;
  // One that is not there yet looks by itself once it is.
  worker?.postMessage("look");
}
