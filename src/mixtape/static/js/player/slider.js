// Sliders of the player's bar.

/** Tell the stylesheet how far a slider is filled; WebKit has no pseudo-element for that part. */
export function fill(slider, buffered) {
  const share = Number(slider.max) ? Number(slider.value) / Number(slider.max) : 0;
  slider.style.setProperty("--filled", `${100 * share}%`);
  slider.style.setProperty("--buffered", `${100 * Math.max(share, buffered)}%`);
}
