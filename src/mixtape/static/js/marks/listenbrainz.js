// The connection to ListenBrainz: how it stands, and what makes and ends it.

import { send } from "../shared/api.js";
import { plural, translate } from "../shared/words.js";

/** @param {HTMLElement} section */
export function attachListenBrainz(section) {
  const url = section.dataset.listenbrainz;
  const part = (name) => section.querySelector(`[data-part="${name}"]`);
  const form = part("connect");

  const show = ({ is_on: isOn, url: server, waiting, problem }, name = "") => {
    form.hidden = isOn;
    part("connected").hidden = !isOn;
    part("state").textContent = stateOf(server, waiting, name);
    part("trouble").textContent = problem;
  };
  const load = async (name) => show(await send("GET", url), name);

  /** Do something, and say what went wrong where it did. */
  const attempt = async (act) => {
    part("problem").textContent = "";
    section.setAttribute("aria-busy", "true");
    try {
      await load(await act());
    } catch (error) {
      part(form.hidden ? "trouble" : "problem").textContent = error.message;
    }
    section.removeAttribute("aria-busy");
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const { name } = await send("PUT", url, { token: form.elements.token.value, url: form.elements.url?.value ?? "" });
      form.reset();
      return name;
    });
  });
  part("disconnect").addEventListener("click", () => attempt(() => send("DELETE", url)));
  attempt(() => "");
}

function stateOf(server, waiting, name) {
  const where = server || "listenbrainz.org";
  const connected = name
    ? translate("What you play is sent to %(name)s at %(server)s.", { name, server: where })
    : translate("What you play is sent to %(server)s.", { server: where });
  if (!waiting) return connected;
  return `${connected} ${plural("%(num)s play is on its way.", "%(num)s plays are on their way.", waiting)}`;
}
