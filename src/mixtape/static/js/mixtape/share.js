// Opening a mixtape to whoever has its link, closing it, and giving it a new link.

import { send } from "../shared/api.js";
import { confirmed } from "../shared/confirm.js";
import { copy } from "./copy.js";
import { say, toast } from "../shared/spoken.js";

/** @param {HTMLElement} box @param {{go: (url: string, replaces?: boolean) => void}} page */
export function attachShare(box, { go }) {
  const part = (name) => box.querySelector(`[data-part="${name}"]`);
  let state = JSON.parse(box.dataset.share);
  const address = (verb) => box.dataset.api.replace("SLUG/share", `${state.slug}${verb ? `/${verb}` : ""}`);

  const show = () => {
    part("text").textContent = state.shared
      ? "Whoever has this link can listen, without a password."
      : "Only you can listen. Share it, and whoever has its link can listen too.";
    part("link").value = state.link;
    for (const name of ["link-row", "unshare", "renew"]) part(name).hidden = !state.shared;
    part("share").hidden = state.shared;
  };
  const act = async (verb, next) => {
    try {
      const before = state.slug;
      state = await send("POST", address(verb));
      show();
      // The page's other addresses hold the old slug.
      if (state.slug !== before) go(state.edit_url, true);
      else part(next).focus();
    } catch (error) {
      toast(error.message);
    }
  };
  part("share").addEventListener("click", () => act("share", "copy"));
  part("unshare").addEventListener("click", async () => {
    if (await confirmed("Stop sharing? The link stops working at once, even for people who are listening.", "Stop sharing")) act("unshare", "share");
  });
  part("renew").addEventListener("click", async () => {
    if (await confirmed("Make a new link? The old one stops working for everybody who has it.", "New link")) {
      await act("renew", "copy");
      say("This mixtape has a new link.");
    }
  });
  part("copy").addEventListener("click", () => copy(state.link, part("copy")));
  part("link").addEventListener("focus", () => part("link").select());
  part("delete").addEventListener("click", async () => {
    const { name, home } = part("delete").dataset;
    if (!(await confirmed(`Delete “${name}”? The music itself stays.`, "Delete"))) return;
    try {
      await send("DELETE", address(""));
      go(home);
      say("The mixtape is deleted.");
    } catch (error) {
      toast(error.message);
    }
  });
  show();
}
