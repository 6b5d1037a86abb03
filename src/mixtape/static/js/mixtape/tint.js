// The hue of a cover, for the page around it. Styles that a script sets are what the content
// security policy allows; style attributes in the page are not.

import { remember } from "../shared/storage.js";

const EDGE_PX = 32;
const BINS = 24;
// Of oklab's chroma: greys below it have a hue by chance.
const LEAST_CHROMA = 0.04;
const LEAST_SHARE = 0.04;

/** Give the page the hue of its cover, where that has one. @param {HTMLImageElement | null} cover */
export async function attachTint(cover) {
  if (!cover) return;
  try {
    await cover.decode();
  } catch {
    return; // a cover that cannot be shown; the drawing behind it can
  }
  const hue = hueOf(pixelsOf(cover));
  remember(`hue.${location.pathname.split("/").pop()}`, hue === null ? "" : String(hue));
  const page = document.documentElement;
  if (hue === null) {
    delete page.dataset.tinted;
    return;
  }
  page.style.setProperty("--mt-hue", String(hue));
  page.dataset.tinted = "";
}

function pixelsOf(cover) {
  const canvas = Object.assign(document.createElement("canvas"), { width: EDGE_PX, height: EDGE_PX });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(cover, 0, 0, EDGE_PX, EDGE_PX);
  return context.getImageData(0, 0, EDGE_PX, EDGE_PX).data;
}

/**
 * @param {Uint8ClampedArray} pixels red, green, blue and opacity of each
 * @returns {number | null} the hue that there is most of, in degrees of oklch; null where all is grey
 */
export function hueOf(pixels) {
  const bins = Array.from({ length: BINS }, () => ({ weight: 0, a: 0, b: 0 }));
  for (let at = 0; at < pixels.length; at += 4) {
    const { a, b } = oklab(pixels[at], pixels[at + 1], pixels[at + 2]);
    const chroma = Math.hypot(a, b);
    if (chroma < LEAST_CHROMA) continue;
    const bin = bins[Math.floor((angle(a, b) / 360) * BINS) % BINS];
    bin.weight += chroma;
    bin.a += a;
    bin.b += b;
  }
  // With its neighbours, so that a hue on the border of two is not halved.
  const around = (place) => [-1, 0, 1].map((by) => bins[(place + by + BINS) % BINS]);
  const sum = (place, name) => around(place).reduce((total, bin) => total + bin[name], 0);
  let best = 0;
  for (let place = 1; place < BINS; place += 1) if (sum(place, "weight") > sum(best, "weight")) best = place;
  const mostGrey = (LEAST_SHARE * pixels.length) / 4 * LEAST_CHROMA;
  return sum(best, "weight") > mostGrey ? Math.round(angle(sum(best, "a"), sum(best, "b"))) : null;
}

function angle(a, b) {
  return ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
}

/** By Björn Ottosson's formulas, bottosson.github.io, “A perceptual color space”, which CSS has too. */
function oklab(...rgb) {
  const [red, green, blue] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return { a: 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, b: 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s };
}
