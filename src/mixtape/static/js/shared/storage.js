// What the browser remembers between visits; a browser that refuses to remember is no error.

/** @param {string} key @param {string} fallback @returns {string} */
export function recall(key, fallback) {
  try {
    return localStorage.getItem(`mixtape.${key}`) ?? fallback;
  } catch {
    return fallback;
  }
}

/** @param {string} key @param {string} value */
export function remember(key, value) {
  try {
    localStorage.setItem(`mixtape.${key}`, value);
  } catch {
    // private windows and full disks: it works until the page is closed
  }
}
