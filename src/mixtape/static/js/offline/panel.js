// "Keep offline" on the page of a mixtape.

import { labelOf } from "../shared/qualities.js";
import { size } from "../shared/format.js";
import { translate } from "../shared/words.js";
import { attachInstall } from "./install.js";
import { Keeper } from "./keeper.js";
import { attachKept } from "./kept-quality.js";
import { canKeep, registerWorker } from "./worker-link.js";

// Music that begins to play comes first.
const UPDATE_AFTER_MS = 3000;
/** What can be pressed in each phase. */
const SHOWN = {
  none: ["choice", "keep"],
  asking: ["stop"],
  loading: ["meter", "stop"],
  waiting: ["meter", "stop"],
  stopped: ["meter", "resume", "remove"],
  failed: ["choice", "keep"],
  kept: ["remove", "all"],
};
const ASKED = ["sure", "unsure"];
const SWITCHED = ["choice", "keep", "meter", "stop", "resume", "remove", "all", ...ASKED];

/** @param {HTMLElement} box @param {import("../player/player.js").Player} player */
export function attachOffline(box, player) {
  const part = (name) => box.querySelector(`[data-part="${name}"]`);
  if (!canKeep()) {
    part("reason")?.toggleAttribute("hidden", isSecureContext);
    if (part("reason") && !isSecureContext) box.hidden = false;
    return;
  }
  const { path, root, title, worker } = box.dataset;
  const isCopy = "kept" in document.documentElement.dataset;
  const keeper = new Keeper({ path, root, title, isOwners: "owners" in box.dataset });
  const tell = attachKept(player, isCopy);

  let isAsked = false;
  const show = () => {
    const { phase, tape } = keeper;
    const shown = isAsked ? ASKED : shownIn(phase, tape, isCopy);
    const focused = box.contains(document.activeElement) ? document.activeElement : null;
    for (const name of SWITCHED) part(name).hidden = !shown.includes(name);
    // Whoever pressed a button that goes away is taken to the one that comes.
    if (focused?.checkVisibility() === false) box.querySelector("button:not([hidden])")?.focus();
    Object.assign(part("meter"), { max: keeper.total || 1, value: keeper.have });
    // Figures that grow all the time are not to be read out.
    part("text").ariaLive = phase === "loading" ? "off" : "polite";
    part("text").textContent = isAsked ? translate("Remove this mixtape from this device?") : describe(keeper, isCopy);
    box.dataset.phase = phase;
    tell(tape);
  };
  const press = (name, act) => part(name).addEventListener("click", () => act());
  press("keep", () => keeper.keep(part("quality").value));
  press("resume", () => keeper.keep());
  press("stop", () => keeper.stop());
  const ask = (isToAsk) => {
    isAsked = isToAsk;
    show();
  };
  press("remove", () => ask(true));
  press("unsure", () => ask(false));
  press("sure", () => {
    isAsked = false;
    keeper.remove();
  });
  keeper.addEventListener("change", show);
  for (const option of part("quality").options) {
    option.textContent = `${labelOf(option.value)} · ${size(Number(option.dataset.bytes))}`;
  }
  attachInstall(part("install"));
  box.hidden = false;
  begin(box, keeper, { worker, root, isCopy });
}

function shownIn(phase, tape, isCopy) {
  // A copy has come because the server did not answer.
  if (isCopy) return tape ? SHOWN.kept : [];
  return phase === "failed" && tape ? [...SHOWN.failed, "remove"] : SHOWN[phase];
}

async function begin(box, keeper, { worker, root, isCopy }) {
  try {
    await keeper.look();
  } catch {
    // A browser that keeps nothing, as in some private windows.
    box.hidden = true;
    return;
  }
  if (isCopy) return;
  if (document.readyState !== "complete") await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
  if (!(await registerWorker(worker, root))) {
    box.hidden = true;
    return;
  }
  const { tape } = keeper;
  if (tape?.coming && !tape.isStopped) keeper.keep();
  else if (tape && !tape.coming) setTimeout(() => keeper.phase === "kept" && keeper.keep(), UPDATE_AFTER_MS);
}

/** @returns {string} what is said of the state */
function describe({ phase, tape, have, total, error }, isCopy) {
  const sizes = { have: size(have), total: size(total) };
  switch (phase) {
    case "asking":
      return translate("Working out how much it is …");
    case "loading":
      return translate("Keeping %(have)s of %(total)s", sizes);
    case "waiting":
      return translate("%(have)s of %(total)s kept. The connection was lost; trying again …", sizes);
    case "stopped":
      return translate("Stopped: %(have)s of %(total)s kept so far", sizes);
    case "failed":
      return describeError(error);
    case "kept": {
      const text = translate("Kept on this device: %(size)s, %(quality)s", { size: size(total), quality: labelOf(tape.quality) });
      if (tape.isClosed) return `${text}. ${translate("It is no longer shared at this link, but your copy still plays.")}`;
      return isCopy ? `${text}. ${translate("The site cannot be reached now: this is your copy.")}` : text;
    }
    default:
      return "";
  }
}

function describeError(error) {
  if (error.needed === undefined) return translate("This mixtape could not be kept. Reload the page and try again.");
  const needed = size(error.needed);
  const cure = translate("Choose a lower quality, or remove something else that you keep.");
  if (Number.isNaN(error.free)) return `${translate("There is no room here for the %(needed)s that are missing.", { needed })} ${cure}`;
  return `${translate("It takes %(needed)s, and this browser has room for %(free)s.", { needed, free: size(error.free) })} ${cure}`;
}
