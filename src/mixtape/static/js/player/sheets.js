// Sheets: dialogs that come from the side, or from below where the window is narrow.

/** Let the buttons of a page open its sheets, and a press beside a sheet close it. */
export function attachSheets() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      opener.closest("dialog")?.close();
      return document.getElementById(opener.dataset.opens).showModal();
    }
    // What is pressed beside a dialog is its backdrop, which is the dialog itself.
    if (event.target.matches("dialog.sheet") && isOutside(event, event.target)) event.target.close();
    return undefined;
  });
}

function isOutside({ clientX, clientY }, dialog) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
