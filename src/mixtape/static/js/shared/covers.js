// Covers at other sizes than the one that a page shows.

const SIZES = [96, 320, 640];

/**
 * @param {string} cover its address at any size, "" without one
 * @returns {{src: string, sizes: string, type: string}[]} the same at all sizes
 */
export function artwork(cover) {
  if (!cover) return [];
  const { href, pathname, searchParams } = new URL(cover, location.href);
  if (pathname.endsWith(".svg")) return [{ src: href, sizes: "any", type: "image/svg+xml" }];
  return SIZES.map((size) => {
    const url = new URL(href);
    if (searchParams.has("size")) url.searchParams.set("size", String(size));
    else url.pathname = pathname.replace(/\/\d+\.jpg$/, `/${size}.jpg`);
    return { src: url.href, sizes: `${size}x${size}`, type: "image/jpeg" };
  });
}
