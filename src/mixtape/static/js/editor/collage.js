// The cover that a mixtape has until one is chosen: those of its tracks, as the server puts them together.

import { artwork } from "../shared/covers.js";

const MOST = 4;
const SHOWN_AT = "320x320";

/** @param {HTMLElement} box @param {{cover: string}[]} tracks */
export function showCollage(box, tracks) {
  // Drawn covers have one size, "any", and are no part of it.
  const covers = [...new Set(tracks.map(({ cover }) => cover))].map((cover) => artwork(cover).find(({ sizes }) => sizes === SHOWN_AT));
  const pictures = covers.filter(Boolean).slice(0, MOST);
  box.replaceChildren(...pictures.map(({ src }) => Object.assign(new Image(), { src, alt: "" })));
}
