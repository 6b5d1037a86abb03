// Restoring a backup: sent in pieces, shown before anything is done, then done.

import { ApiError, send } from "../shared/api.js";
import { plural, translate } from "../shared/words.js";

const KINDS = {
  new: () => translate("new"),
  same: () => translate("here already, the same"),
  differs: () => translate("here already, changed since"),
  renewed: () => translate("here already, under a new link"),
};

/** @param {HTMLElement} page that holds the section about backups */
export function attachBackup(page) {
  const section = page.querySelector("[data-backup]");
  const part = (name) => section.querySelector(`[data-part=restore-${name}]`);
  const { restores } = section.dataset;
  let key = null;

  function close() {
    part("preview").hidden = true;
    part("form").reset();
    key = null;
  }
  function fail(error) {
    part("error").textContent = error instanceof ApiError ? error.message : translate("The file cannot be read.");
    part("error").hidden = false;
  }
  /** Do something that takes a while, with the button of a form out of reach meanwhile. */
  async function busily(form, work) {
    const button = form.querySelector("[type=submit]");
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    part("error").hidden = part("outcome").hidden = true;
    try {
      await work();
    } catch (error) {
      fail(error);
    }
    part("bar").hidden = true;
    button.removeAttribute("aria-disabled");
  }

  part("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const [file] = event.target.elements.file.files;
    busily(event.target, async () => {
      if (key) await send("DELETE", `${restores}/${key}`);
      key = await upload(restores, file, part("bar"));
      show(part, await send("GET", `${restores}/${key}`));
      part("title").focus();
    });
  });
  part("preview").addEventListener("submit", (event) => {
    event.preventDefault();
    const asked = new FormData(event.target);
    const [existing, people] = [asked.get("existing"), asked.has("people")];
    busily(event.target, async () => {
      const outcome = await send("POST", `${restores}/${key}`, { existing, people });
      close();
      part("outcome").textContent = describe(outcome);
      part("outcome").hidden = false;
    });
  });
  part("cancel").addEventListener("click", () => {
    send("DELETE", `${restores}/${key}`).catch(() => {});
    close();
    part("form").elements.file.focus();
  });
}

/** @returns {Promise<string>} the key that the server knows the file by */
async function upload(restores, file, bar) {
  const { key, piece_bytes: size } = await send("POST", restores);
  bar.max = file.size || 1;
  bar.value = 0;
  bar.hidden = false;
  for (let offset = 0; offset < file.size; offset += size) {
    const sent = await send("PUT", `${restores}/${key}?offset=${offset}`, file.slice(offset, offset + size));
    bar.value = sent.bytes;
  }
  return key;
}

function show(part, found) {
  const date = new Date(found.made_at).toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
  part("title").textContent = translate("Backup of %(date)s", { date });
  const facts = [
    [found.new, () => plural("%(num)s mixtape is new here.", "%(num)s mixtapes are new here.", found.new)],
    [found.same, () => plural("%(num)s is here already, the same.", "%(num)s are here already, the same.", found.same)],
    [found.conflicts, () => plural("%(num)s is here already and was changed since.", "%(num)s are here already and were changed since.", found.conflicts)],
    [found.covers, () => plural("%(num)s cover comes back.", "%(num)s covers come back.", found.covers)],
    [found.moved, () => plural("%(num)s track was found at another place of the library.", "%(num)s tracks were found at other places of the library.", found.moved)],
    [found.lost, () => plural("%(num)s track is not in the library. It keeps its place.", "%(num)s tracks are not in the library. They keep their places.", found.lost)],
    [found.heard, () => plural("Stars, ratings and plays of %(num)s user: what is missing here is added.", "Stars, ratings and plays of %(num)s users: what is missing here is added.", found.heard)],
    [found.locked, () => plural("%(num)s device was sealed with another SECRET_KEY: add it again for apps that sign in by a token.", "%(num)s devices were sealed with another SECRET_KEY: add them again for apps that sign in by a token.", found.locked)],
    [found.unknown.length, () => translate("A newer mixtape wrote it. Left out: %(names)s.", { names: found.unknown.join(", ") })],
  ];
  showPeople(part, found);
  const lines = facts.filter(([number]) => number).map(([, text]) => itemOf(text()));
  part("facts").replaceChildren(...lines);
  const all = found.mixtapes.length + found.more;
  part("summary").textContent = plural("%(num)s mixtape", "%(num)s mixtapes", all);
  part("mixtapes").replaceChildren(...found.mixtapes.map(mixtapeItem));
  if (found.more) part("mixtapes").append(itemOf(plural("… and %(num)s more", "… and %(num)s more", found.more)));
  part("existing").hidden = !found.conflicts;
  part("preview").hidden = false;
}

/** Ask whether those are let in who are in the backup and not here; nobody is by themselves. */
function showPeople(part, { people, devices }) {
  const names = people.map(({ name, role }) => (role === "admin" ? translate("%(name)s (admin)", { name }) : name));
  const words = [
    people.length ? plural("%(num)s user: %(names)s", "%(num)s users: %(names)s", people.length, { names: names.join(", ") }) : "",
    devices ? plural("%(num)s device", "%(num)s devices", devices) : "",
  ];
  part("people").hidden = !people.length && !devices;
  part("people").querySelector("input").checked = false;
  part("people-words").textContent = translate("Add who is not here, with passwords and keys – %(who)s", { who: words.filter(Boolean).join("; ") });
}

function mixtapeItem({ title, kind, tracks, lost }) {
  const item = itemOf("");
  const name = document.createElement("b");
  name.textContent = title;
  const facts = document.createElement("span");
  const words = [plural("%(num)s track", "%(num)s tracks", tracks), KINDS[kind]()];
  if (lost) words.push(plural("%(num)s not in the library", "%(num)s not in the library", lost));
  facts.textContent = words.join(" · ");
  item.append(name, facts);
  return item;
}

function describe({ added, replaced, kept, same, covers, people, devices, heard, safety }) {
  const said = [
    plural("%(num)s mixtape was added.", "%(num)s mixtapes were added.", added),
    replaced ? plural("%(num)s was replaced.", "%(num)s were replaced.", replaced) : "",
    kept + same ? plural("%(num)s was left as it is.", "%(num)s were left as they are.", kept + same) : "",
    covers ? plural("%(num)s cover came back.", "%(num)s covers came back.", covers) : "",
    people ? plural("%(num)s user was added.", "%(num)s users were added.", people) : "",
    devices ? plural("%(num)s device was added.", "%(num)s devices were added.", devices) : "",
    heard ? plural("Stars, ratings and plays of %(num)s user came back.", "Stars, ratings and plays of %(num)s users came back.", heard) : "",
    safety ? translate("What was here before is in %(file)s.", { file: safety }) : "",
  ];
  return said.filter(Boolean).join(" ");
}

function itemOf(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}
