// The cover: chosen or dropped, checked, sent, shown.

import { send } from "../shared/api.js";
import { say } from "../shared/spoken.js";
import { translate } from "../shared/words.js";

const TYPES = ["image/jpeg", "image/png", "image/webp"];

/**
 * @param {HTMLElement} box the editor
 * @param {number} limit of the file, in bytes
 * @param {(cover: {key: string | null, url: string | null}) => void} onChange
 * @returns {(url: string | null) => void} shows a cover
 */
export function attachCover(box, limit, onChange) {
  const part = (name) => box.querySelector(`[data-part="${name}"]`);
  const [area, image, remove, problem] = ["cover-box", "cover", "cover-remove", "cover-problem"].map(part);
  const field = box.querySelector("#cover");

  const show = (url) => {
    if (url) image.src = url;
    image.hidden = !url;
    remove.hidden = !url;
  };
  const upload = async (file) => {
    problem.textContent = complaint(file, limit);
    if (problem.textContent) return;
    area.classList.add("is-busy");
    try {
      const { cover_key: key, url } = await send("POST", box.dataset.covers, file);
      show(url);
      onChange({ key, url });
      say(translate("The cover was added."));
    } catch (error) {
      problem.textContent = error.isSessionEnded ? translate("Your session has ended. Sign in, then choose the cover again.") : error.message;
    }
    area.classList.remove("is-busy");
  };
  field.addEventListener("change", () => {
    if (field.files.length) upload(field.files[0]);
    field.value = "";
  });
  for (const name of ["dragenter", "dragover"]) area.addEventListener(name, () => area.classList.add("is-target"));
  for (const name of ["dragleave", "drop"]) area.addEventListener(name, () => area.classList.remove("is-target"));
  remove.addEventListener("click", () => {
    show(null);
    problem.textContent = "";
    onChange({ key: null, url: null });
    field.focus();
  });
  return show;
}

/** @returns {string} what is wrong with a file that need not be sent to be refused */
function complaint(file, limit) {
  if (!TYPES.includes(file.type)) return translate("This is not a JPEG, PNG or WebP picture.");
  if (file.size > limit) {
    const values = { size: (file.size / 1e6).toFixed(1), limit: limit / 1e6 };
    return translate("The picture is %(size)s MB: choose one of up to %(limit)s MB.", values);
  }
  return "";
}
