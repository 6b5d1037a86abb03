// Calls that wait for a pause.

/**
 * @param {() => void} act
 * @param {number} ms
 * @returns {{later: () => void, now: () => void, cancel: () => void}}
 */
export function debounced(act, ms) {
  let timer = 0;
  const cancel = () => {
    clearTimeout(timer);
    timer = 0;
  };
  return {
    later() {
      cancel();
      timer = setTimeout(() => {
        timer = 0;
        act();
      }, ms);
    },
    now() {
      cancel();
      act();
    },
    cancel,
  };
}
