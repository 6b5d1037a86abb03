// Reordering by pointer: mouse, pen and finger alike. The row follows it, the others make way.

const SCROLL_ZONE_PX = 90;
const SCROLL_STEP_PX = 12;

/**
 * @param {HTMLElement} list whose rows have a grip
 * @param {(uid: string, to: number) => void} onDrop
 * @param {() => void} onCancel puts the rows back in order
 */
export function attachDrag(list, onDrop, onCancel) {
  list.addEventListener("pointerdown", (event) => {
    const row = event.target.closest('[data-part="grip"]') && event.target.closest("li");
    if (!row || event.button !== 0) return;
    new Drag(row, event, onDrop, onCancel);
  });
}

class Drag {
  #row;
  #grabbedAt;
  #pointerY;
  #pointerId;
  #onDrop;
  #onCancel;
  #listening = new AbortController();
  #scrolling = 0;

  constructor(row, event, onDrop, onCancel) {
    this.#row = row;
    this.#pointerId = event.pointerId;
    this.#pointerY = event.clientY;
    this.#grabbedAt = event.clientY - row.getBoundingClientRect().top;
    this.#onDrop = onDrop;
    this.#onCancel = onCancel;
    row.classList.add("is-dragged");
    // On the window: the list is changed under the pointer all the time.
    const { signal } = this.#listening;
    const only = (act) => (each) => each.pointerId === this.#pointerId && act(each);
    addEventListener("pointermove", only((each) => this.#move(each)), { signal });
    addEventListener("pointerup", only(() => this.#end(true)), { signal });
    addEventListener("pointercancel", only(() => this.#end(false)), { signal });
    addEventListener("keydown", (each) => each.key === "Escape" && this.#end(false), { signal });
    this.#scroll();
  }

  #move(event) {
    event.preventDefault();
    this.#pointerY = event.clientY;
    this.#place();
  }

  /** Put the row under the pointer, and every row that it has passed on its other side. */
  #place() {
    const row = this.#row;
    row.style.transform = "";
    const top = this.#pointerY - this.#grabbedAt;
    const height = row.offsetHeight;
    // The others are moved, never the row itself: a finger's events end with an element that is.
    while (row.previousElementSibling && top < middleOf(row.previousElementSibling)) row.after(row.previousElementSibling);
    while (row.nextElementSibling && top + height > middleOf(row.nextElementSibling)) row.before(row.nextElementSibling);
    row.style.transform = `translateY(${top - row.getBoundingClientRect().top}px)`;
  }

  #scroll() {
    const { top, bottom } = edges();
    const before = scrollY;
    if (this.#pointerY < top + SCROLL_ZONE_PX) scrollBy({ top: -SCROLL_STEP_PX, behavior: "instant" });
    else if (this.#pointerY > bottom - SCROLL_ZONE_PX) scrollBy({ top: SCROLL_STEP_PX, behavior: "instant" });
    if (scrollY !== before) this.#place();
    this.#scrolling = requestAnimationFrame(() => this.#scroll());
  }

  #end(isDropped) {
    this.#listening.abort();
    cancelAnimationFrame(this.#scrolling);
    const row = this.#row;
    row.classList.remove("is-dragged");
    row.style.transform = "";
    if (isDropped) this.#onDrop(row.dataset.key, [...row.parentElement.children].indexOf(row));
    else this.#onCancel();
  }
}

/** @returns {{top: number, bottom: number}} of what is seen between the head and the player */
function edges() {
  const player = document.getElementById("player").getBoundingClientRect();
  return { top: document.querySelector(".site-header").getBoundingClientRect().bottom, bottom: player.height ? player.top : innerHeight };
}

function middleOf(element) {
  const { top, height } = element.getBoundingClientRect();
  return top + height / 2;
}
