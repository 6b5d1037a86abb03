// Forms of the pages about people and devices: sent as JSON, with what is wrong beside them.

/**
 * Send a form whenever somebody does, once at a time.
 *
 * @param {HTMLFormElement} form with a part "problem"
 * @param {(fields: Object<string, string>) => Promise<void>} work throws what is wrong
 */
export function onSubmit(form, work) {
  const problem = form.querySelector('[data-part="problem"]');
  const button = form.querySelector("[type=submit]");
  // Until now nobody was there to take what is typed, and a password must not end up in an address.
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    problem.textContent = "";
    try {
      await work(Object.fromEntries(new FormData(form)));
    } catch (error) {
      problem.textContent = error.message;
    }
    button.removeAttribute("aria-disabled");
  });
}

/** Show a list of the page as it is on the server now. @param {HTMLElement} list with a `data-part` */
export async function refresh(list) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector(`[data-part="${list.dataset.part}"]`);
  // Whoever may see the page no more is shown what the server says of that.
  if (fresh) list.replaceChildren(...fresh.childNodes);
  else location.reload();
}

