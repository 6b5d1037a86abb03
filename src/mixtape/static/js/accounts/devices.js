// The page of a user's devices: keys that are made and taken back, and the user's own password.

import { confirmed } from "../shared/confirm.js";
import { say, toast } from "../shared/spoken.js";
import { translate } from "../shared/words.js";
import { send } from "../shared/api.js";
import { onSubmit, refresh } from "./forms.js";
import { hideOnce, showOnce } from "./once.js";

/** @param {HTMLElement} element */
export function attachDevices(element) {
  const part = (name) => element.querySelector(`[data-part="${name}"]`);
  const once = element.querySelector('[data-once="once"]');
  const onceLink = element.querySelector('[data-once="link"]');
  const list = part("list");
  const form = part("add");

  onSubmit(form, async ({ name, kind }) => {
    const device = await send("POST", element.dataset.devices, { name, is_recoverable: kind === "any" });
    form.reset();
    await refresh(list);
    hideOnce(onceLink);
    showOnce(once, {
      title: translate("The key of “%(name)s”", { name: device.name }),
      text: translate("It is shown this once. Put it into the app now; if it is lost, remove the device and add it again."),
      values: { key: device.key },
    });
  });

  const links = part("add-link");
  onSubmit(links, async ({ name, quality }) => {
    const link = await send("POST", links.dataset.url, { name, quality });
    links.reset();
    await refresh(list);
    hideOnce(once);
    showOnce(onceLink, {
      title: translate("The address for “%(name)s”", { name: link.name }),
      text: translate("It is shown this once. Open it in the player now; if it is lost, remove the link and make another one."),
      values: { link: link.address },
    });
  });

  list.addEventListener("click", async (event) => {
    const all = event.target.closest("[data-forget-all]");
    if (all) await forgetAll(all.dataset.forgetAll);
    const button = event.target.closest("[data-forget]");
    if (!button) return;
    const { forget, name } = button.dataset;
    const question =
      button.dataset.isLink === undefined
        ? translate("Remove “%(name)s”? Its key stops working at once.", { name })
        : translate("Remove “%(name)s”? Its address, and the tracks of its playlist, stop playing at once.", { name });
    await remove(forget, question, translate("“%(name)s” is removed.", { name }));
  });

  async function forgetAll(url) {
    const question = translate("Remove all devices and links? Their keys and addresses stop working at once, and each app needs a new one.");
    await remove(url, question, translate("All devices are removed."));
  }

  async function remove(url, question, done) {
    if (!(await confirmed(question, translate("Remove")))) return;
    try {
      await send("DELETE", url);
      hideOnce(once);
      hideOnce(onceLink);
      await refresh(list);
      form.elements.name.focus();
      say(done);
    } catch (error) {
      toast(error.message);
    }
  }

  const password = part("password");
  if (password) {
    onSubmit(password, async ({ password: present, new_password: wanted, remove_devices: box }) => {
      const asked = { password: present, new_password: wanted, remove_devices: box !== undefined };
      await send("POST", password.dataset.url, asked);
      password.reset();
      await refresh(list);
      toast(translate("Your password is changed."));
      say(translate("Your password is changed."));
    });
  }
}
