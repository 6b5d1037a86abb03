// What charts have in common: the page's colours, axes and lines, and when to draw anew.

export const HEIGHT = 180;

/** @param {HTMLElement} figure @returns {(name: string) => string} gives a CSS variable */
export function variablesOf(figure) {
  const css = getComputedStyle(figure);
  return (name) => css.getPropertyValue(name).trim();
}

/** @param {HTMLElement} figure @returns {object} what uPlot wants to know of an axis */
export function axisOf(figure) {
  const variable = variablesOf(figure);
  const line = variable("--mt-line");
  return {
    stroke: variable("--mt-quiet"),
    font: `12px ${getComputedStyle(figure).fontFamily}`,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1, size: 4 },
  };
}

/**
 * @param {string} label
 * @param {string} colour
 * @param {{style?: "filled" | "dashed", digits: number, unit?: string, points?: boolean}} how
 * @returns {object} what uPlot wants to know of a line
 */
export function lineOf(label, colour, { style, digits, unit = "", points = false }) {
  return {
    label,
    stroke: colour,
    width: 2,
    dash: style === "dashed" ? [6, 4] : undefined,
    fill: style === "filled" ? `${colour}2e` : undefined,
    points: { show: points, size: 5, fill: colour },
    value: (_chart, figure) =>
      figure === null || figure === undefined
        ? "–"
        : figure.toLocaleString(document.documentElement.lang, { maximumFractionDigits: digits }) + unit,
  };
}

/**
 * Draw anew in other colours or another width, since a canvas has no cascade.
 *
 * @param {HTMLElement} page
 * @param {() => void} redraw
 */
export function redrawOnChange(page, redraw) {
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  let width = 0;
  new ResizeObserver(([entry]) => {
    if (Math.abs(entry.contentRect.width - width) < 1) return;
    width = entry.contentRect.width;
    redraw();
  }).observe(page);
}
