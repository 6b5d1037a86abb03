// A rating: one choice of six, from none to five stars, with a way back.

import { plural, translate } from "../shared/words.js";

export class RatingChoice {
  #group;
  #say;
  #rate = null;
  #kept = 0;
  #before = null;
  #last = Promise.resolve();

  /** @param {HTMLFieldSetElement} group @param {(message: string) => void} say shows what is wrong */
  constructor(group, say) {
    this.#group = group;
    this.#say = say;
    group.addEventListener("change", ({ target }) => this.#choose(Number(target.value)));
    this.#part("undo").addEventListener("click", () => {
      const before = this.#before;
      this.#check(before);
      this.#group.querySelector(":checked").focus();
      this.#choose(before);
    });
  }

  /** @param {number} rating of what is shown, 0 for none @param {(rating: number) => Promise<void>} [rate] none hides it */
  show(rating, rate) {
    this.#group.hidden = !rate;
    this.#rate = rate;
    this.#kept = rating;
    this.#check(rating);
    this.#offerUndo(null);
    this.#part("said").textContent = "";
  }

  /** Arrow keys choose one after the other: each is sent when the one before it is kept. */
  #choose(rating) {
    const rate = this.#rate;
    this.#light(rating);
    this.#say("");
    this.#last = this.#last.then(async () => {
      if (rate !== this.#rate || rating === this.#kept) return;
      try {
        await rate(rating);
      } catch (error) {
        if (rate !== this.#rate) return;
        this.#check(this.#kept);
        this.#say(error.message);
        return;
      }
      if (rate !== this.#rate) return;
      this.#offerUndo(this.#kept);
      this.#kept = rating;
      this.#part("said").textContent = rating ? plural("Rated with %(num)s star", "Rated with %(num)s stars", rating) : translate("Rating taken back");
    });
  }

  #offerUndo(before) {
    this.#before = before;
    this.#part("undo").hidden = before === null;
  }

  #check(rating) {
    this.#group.querySelector(`[value="${rating}"]`).checked = true;
    this.#light(rating);
  }

  /** By a class: Chromium leaves stars as they were that a style sheet finds by the choice of a later one (":has"). */
  #light(rating) {
    for (const choice of this.#group.querySelectorAll("input")) {
      const stars = Number(choice.value);
      choice.closest("label").classList.toggle("is-lit", stars > 0 && stars <= rating);
    }
  }

  #part(name) {
    return this.#group.querySelector(`[data-part="rating-${name}"]`);
  }
}
