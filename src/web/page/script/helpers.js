// @ts-check
/** Helpers. */

/** At most once a frame. @param {() => void} act */
function oncePerFrame(act) {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      act();
    });
  };
}

/** @template T @param {T | null | undefined} value @returns {T} */
function required(value) {
  if (value === null || value === undefined) throw new Error('the page is not as its script expects it');
  return value;
}
