// Keeps what somebody pressed before the modules of the page were there, which take a while on a slow
// line; `pressEarly` does it then. No module itself, so that it is there first.
document.addEventListener("click", (event) => {
  if (document.earlyPress === undefined) return;
  document.earlyPress = event.target.closest("[data-play-all], [data-play], #opening button, .embed-button") ?? document.earlyPress;
});
document.earlyPress = null;
