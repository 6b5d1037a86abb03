// What a listener sets once or for an evening: loudness, crossfade, sleep; and what is being sent.

import { bufferedSeconds } from "./buffered.js";
import { canSetVolume } from "./levels.js";
import { END_OF_TRACK, SleepTimer } from "./sleep-timer.js";
import { Savings } from "./savings.js";
import { renditionText, savingText } from "./served.js";
import { size } from "../shared/format.js";
import { translate } from "../shared/words.js";

/** @param {HTMLDialogElement} sheet @param {import("./player.js").Player} player */
export function attachSettingsSheet(sheet, player) {
  const part = (name) => sheet.querySelector(`[data-part="${name}"]`);
  attachLoudness(part, player);
  attachSleep(part, new SleepTimer(player));
  attachDetails(part, player);
}

function attachLoudness(part, player) {
  const [gain, crossfade, seconds] = [part("gain"), part("crossfade"), part("crossfade-seconds")];
  part("loudness").hidden = !canSetVolume();
  gain.value = player.gainMode;
  gain.addEventListener("change", () => player.setGainMode(gain.value));
  const show = () => {
    const number = Number(crossfade.value);
    seconds.textContent = number ? translate("%(seconds)s s", { seconds: number }) : translate("off");
    crossfade.setAttribute("aria-valuetext", seconds.textContent);
  };
  crossfade.value = String(player.handover.crossfade);
  crossfade.addEventListener("input", () => {
    player.handover.setCrossfade(Number(crossfade.value));
    show();
  });
  show();
}

function attachSleep(part, timer) {
  const [sleep, text] = [part("sleep"), part("sleep-text")];
  const openers = document.querySelectorAll('[data-opens="player-settings"]');
  sleep.addEventListener("change", () => timer.set(sleep.value));
  timer.addEventListener("change", () => {
    sleep.value = timer.choice;
    const time = timer.endsAt?.toLocaleTimeString(document.documentElement.lang, { hour: "numeric", minute: "2-digit" });
    text.textContent = "";
    if (time) text.textContent = translate("The music fades out at %(time)s.", { time });
    if (timer.choice === END_OF_TRACK) text.textContent = translate("The music stops after this track.");
    for (const opener of openers) opener.classList.toggle("has-timer", Boolean(timer.choice));
  });
}

function attachDetails(part, player) {
  const savings = new Savings();
  const count = () => {
    const { audio, duration, served, url } = player;
    if (!served || !duration) return;
    savings.add(url, bufferedSeconds(audio) / duration, served);
    const total = size(Math.round(savings.total));
    part("session").textContent = savings.total ? translate("%(size)s saved so far", { size: total }) : "";
  };
  player.addEventListener("served", () => {
    const { served, track } = player;
    part("rendition").textContent = served ? renditionText(served, track) : translate("Nothing yet");
    part("saving").textContent = served ? savingText(served) : "";
  });
  // A short track may have come as a whole before it is known what was served.
  for (const name of ["progress", "served", "timeupdate"]) player.addEventListener(name, count);
  player.addEventListener("takeover", () => {
    const seconds = player.handover.latency.seconds.toFixed(2);
    part("latency").textContent = translate("%(seconds)s s from play to sound", { seconds });
  });
}
