// The page of those who use the site: added, renamed, given roles and passwords, removed.

import { send } from "../shared/api.js";
import { say, toast } from "../shared/spoken.js";
import { plural, translate } from "../shared/words.js";
import { onSubmit, refresh } from "./forms.js";
import { showOnce } from "./once.js";

/** @param {HTMLElement} element */
export function attachPeople(element) {
  const list = element.querySelector('[data-part="list"]');
  const form = element.querySelector('[data-part="add"]');
  const once = element.querySelector("[data-once]");
  const dialogs = Object.fromEntries(
    [...document.querySelectorAll("[data-dialog]")].map((dialog) => [dialog.dataset.dialog, dialog]),
  );
  let chosen = null;
  let pressed = null;

  async function done(message) {
    await refresh(list);
    say(message);
    // The button that was pressed is a new one now, or is gone with its row.
    const again = [...list.querySelectorAll("[data-person]")].find((row) => row.dataset.person === chosen?.person);
    (again?.querySelector(`[data-do="${pressed}"]`) ?? document.querySelector("main h1")).focus();
  }

  /** Tell a password that was made; one that somebody typed is known. */
  function tell({ name, password }) {
    if (!password) return;
    showOnce(once, {
      title: translate("The password of “%(name)s”", { name }),
      text: translate("It is shown this once. Pass it on; another can be chosen on the page “Devices”."),
      values: { user: name, password },
    });
  }

  if (form) {
    onSubmit(form, async ({ name, role, password }) => {
      const added = await send("POST", element.dataset.people, { name, role, password });
      form.reset();
      await refresh(list);
      toast(translate("“%(name)s” can sign in now.", { name: added.name }));
      tell(added);
    });
  }

  const open = {
    rename(dialog, { name }) {
      dialog.querySelector("input").value = name;
      return translate("Rename “%(name)s”", { name });
    },
    role(dialog, { name, role }) {
      dialog.querySelector(`[value="${role}"]`).checked = true;
      return translate("Role of “%(name)s”", { name });
    },
    password: (_dialog, { name }) => translate("New password for “%(name)s”", { name }),
    remove(dialog, { name, mixtapes, drafts }) {
      const count = Number(mixtapes) + Number(drafts);
      const text = count
        ? plural("They have %(num)s mixtape or draft. Devices, stars and play counts go for good.", "They have %(num)s mixtapes and drafts. Devices, stars and play counts go for good.", count)
        : translate("They have no mixtapes. Devices, stars and play counts go for good.");
      dialog.querySelector('[data-part="text"]').textContent = text;
      dialog.querySelector('[data-part="tapes"]').hidden = count === 0;
      return translate("Remove “%(name)s”?", { name });
    },
  };
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    pressed = button.dataset.do;
    chosen = { ...button.closest("[data-person]").dataset, url: button.dataset.url };
    const dialog = dialogs[pressed];
    dialog.querySelector("form").reset();
    dialog.querySelector('[data-part="problem"]').textContent = "";
    dialog.querySelector('[data-part="title"]').textContent = open[pressed](dialog, chosen);
    dialog.showModal();
  });

  const work = {
    async rename({ name }) {
      await send("PATCH", chosen.person, { name });
      return translate("The name is changed.");
    },
    async role({ role }) {
      await send("PATCH", chosen.person, { role });
      return translate("The role is changed.");
    },
    async password({ password, remove_devices: box }) {
      tell(await send("POST", chosen.url, { password, remove_devices: box !== undefined }));
      return translate("The password is changed.");
    },
    async remove({ tapes }) {
      await send("DELETE", chosen.person, { tapes });
      return translate("“%(name)s” is removed.", { name: chosen.name });
    },
  };
  for (const [name, dialog] of Object.entries(dialogs)) {
    dialog.querySelector('[data-part="cancel"]').addEventListener("click", () => dialog.close());
    onSubmit(dialog.querySelector("form"), async (fields) => {
      const message = await work[name](fields);
      dialog.close();
      await done(message);
    });
  }
}
