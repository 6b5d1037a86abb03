// Small things that the modal and the indicator both do with elements.

/**
 * Return a copy of a template's element, and its named parts.
 * @param {string} id
 * @returns {[HTMLElement, Record<string, any>]}
 */
export function fromTemplate(id) {
  const template = document.getElementById(id);
  if (!(template instanceof HTMLTemplateElement)) {
    throw new Error(`no <template id="${id}">: include audio_cache/progress_modal.html in the page`);
  }
  const root = template.content.firstElementChild.cloneNode(true);
  const parts = {};
  for (const part of root.querySelectorAll("[data-part]")) parts[part.dataset.part] = part;
  return [root, parts];
}

/** Change an element's text only where it differs: a live region speaks, and a selection is lost. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {SVGUseElement} use @param {string} name */
export function setIcon(use, name) {
  const href = `#acp-${name}`;
  if (use.getAttribute("href") !== href) use.setAttribute("href", href);
}
