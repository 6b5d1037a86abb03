// What was pressed before the page could do it; `early-press.js` has kept it.

export function pressEarly() {
  const early = document.earlyPress;
  document.earlyPress = undefined;
  early?.click();
}
