// The rating of the album or artist that a page is about.

import { toast } from "../shared/spoken.js";
import { RatingChoice } from "./rating.js";

/** @param {HTMLElement} place @param {{stars: import("./stars.js").Stars}} page @returns {() => void} */
export function attachPageRating(place, { stars }) {
  const id = place.dataset.rate;
  const choice = new RatingChoice(place.querySelector('[data-part="rating"]'), (message) => message && toast(message));
  let shown = null;
  const rate = async (rating) => {
    const before = shown;
    // It shows already: what is told of then is no news here.
    shown = rating;
    try {
      await stars.rate(id, rating);
    } catch (error) {
      shown = before;
      throw error;
    }
  };
  const show = () => {
    const rating = stars.ratingOf(id);
    if (rating === shown) return;
    shown = rating;
    choice.show(rating, rate);
  };
  show();
  stars.addEventListener("change", show);
  return () => stars.removeEventListener("change", show);
}
