// Around the position slider: the time under the pointer, and how loud the music is from there to here.

import { clock } from "../shared/format.js";

const AGAIN_S = 15;
const BAR_PX = 3;

/** @param {HTMLElement} bar @param {import("./player.js").Player} player */
export function attachSeekLine(bar, player) {
  const box = bar.querySelector('[data-part="position"]');
  attachTooltip(box, player);
  new LoudnessLine(box, player, bar.dataset.lookupUrl ?? "");
}

function attachTooltip(box, player) {
  const [slider, tip] = [box.querySelector("input"), box.querySelector('[data-part="tip"]')];
  slider.addEventListener("pointermove", ({ clientX, pointerType }) => {
    if (slider.disabled || (pointerType === "touch" && !slider.matches(":active"))) return;
    const { left, width } = slider.getBoundingClientRect();
    // The middle of the thumb goes from half its width to half its width before the end.
    const half = thumbWidth(slider) / 2;
    const share = Math.min(1, Math.max(0, (clientX - left - half) / (width - 2 * half)));
    tip.textContent = clock(share * player.duration);
    const at = Math.min(width, Math.max(0, clientX - left));
    tip.style.setProperty("--at", `${at}px`);
    tip.hidden = false;
  });
  for (const name of ["pointerleave", "pointerup", "pointercancel"]) {
    slider.addEventListener(name, () => (tip.hidden = true));
  }
}

function thumbWidth(slider) {
  return 0.95 * parseFloat(getComputedStyle(slider.ownerDocument.documentElement).fontSize);
}

/** Draws what the server derives from the stored rendition; until there is one, nothing. */
class LoudnessLine {
  constructor(box, player, address) {
    this.box = box;
    this.slider = box.querySelector("input");
    this.canvas = box.querySelector("canvas");
    this.player = player;
    this.address = address;
    this.levels = new Uint8Array();
    this.url = "";
    this.again = 0;
    player.addEventListener("track", () => this.#forget());
    for (const name of ["timeupdate", "seeking"]) player.addEventListener(name, () => this.#follow());
    this.slider.addEventListener("input", () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => requestAnimationFrame(() => this.#draw()));
  }

  #forget() {
    this.levels = new Uint8Array();
    this.again = 0;
    this.#draw();
  }

  #follow() {
    const { track, url } = this.player;
    if (track?.lossless && url && !this.levels.length && Date.now() > this.again) this.#ask(track);
    this.#draw();
  }

  async #ask(track) {
    // While a track is being made there is no line yet, and later there is.
    this.again = Date.now() + 1000 * AGAIN_S;
    const url = this.address ? `${this.address}/${track.id}/loudness` : `${track.url}/loudness`;
    try {
      const answer = await fetch(url);
      if (answer.status !== 200 || track !== this.player.track) return;
      this.levels = new Uint8Array(await answer.arrayBuffer());
      this.#draw();
    } catch {
      // a bar without a line plays as well
    }
  }

  #draw() {
    const { box, canvas, levels, slider } = this;
    box.classList.toggle("has-line", levels.length > 0);
    if (!levels.length) return;
    const scale = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const half = thumbWidth(slider) / 2;
    const inner = width - 2 * half;
    const bars = Math.max(1, Math.floor(inner / BAR_PX));
    const played = Number(slider.max) ? (bars * Number(slider.value)) / Number(slider.max) : 0;
    for (let bar = 0; bar < bars; bar += 1) {
      const loud = loudest(levels, bar, bars) / 255;
      const tall = Math.max(2, loud * height);
      context.fillStyle = style.getPropertyValue(bar < played ? "--mt-accent" : "--mt-track");
      context.fillRect(half + bar * BAR_PX, (height - tall) / 2, BAR_PX - 1, tall);
    }
  }
}

function loudest(levels, bar, bars) {
  const from = Math.floor((bar * levels.length) / bars);
  const to = Math.max(from + 1, Math.floor(((bar + 1) * levels.length) / bars));
  return Math.max(...levels.subarray(from, to));
}
