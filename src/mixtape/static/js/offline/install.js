// "Install": where the browser offers that the page becomes an app, a button for it.

/** @param {HTMLElement} button */
export function attachInstall(button) {
  let offer = null;
  addEventListener("beforeinstallprompt", (event) => {
    // The browser's own bar would lie over the player.
    event.preventDefault();
    offer = event;
    button.hidden = false;
  });
  addEventListener("appinstalled", () => (button.hidden = true));
  button.addEventListener("click", async () => {
    button.hidden = true;
    await offer?.prompt();
    offer = null;
  });
}
