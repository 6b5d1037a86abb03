// The large button of a mixtape says where its listener left off.

import { clock } from "../shared/format.js";
import { translate } from "../shared/words.js";

const LEAST_S = 5;

/** @param {HTMLElement} main @param {import("./player.js").Player} player whose place was restored */
export function offerResume(main, player) {
  const button = main.querySelector("[data-play-all]");
  const { position, track, index } = player;
  if (!button || !track || (index === 0 && position < LEAST_S)) return;
  const label = button.querySelector("span");
  const before = label.textContent;
  const values = { time: clock(position), title: track.title };
  label.textContent = translate("Continue at %(time)s of “%(title)s”", values);
  button.classList.add("is-resume");
  const again = document.createElement("button");
  Object.assign(again, { type: "button", className: "btn btn-quiet", textContent: translate("From the beginning") });
  again.addEventListener("click", () => player.play([...player.list.given], player.list.isShuffled ? -1 : 0));
  button.after(again);
  const end = () => {
    label.textContent = before;
    button.classList.remove("is-resume");
    if (again.contains(document.activeElement)) button.focus();
    again.remove();
  };
  player.addEventListener("load", end, { once: true });
}
