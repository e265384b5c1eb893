// @ts-check
/** Relative times: how long ago each time on the screen was. */

/** @param {string} now The daemon's time. */
function setClock(now) {
  shownAt = now;
  clockAhead = Date.parse(now) - Date.now();
}

/** Updates the relative times that are on the screen. */
function updateTimes() {
  const now = Date.now() + clockAhead;
  for (const time of document.querySelectorAll('[data-part] time'))
    setRelativeTime(now, /** @type {HTMLTimeElement} */ (time));
  for (let at = firstOnScreen(); at < visible.length; at += 1) {
    const { element } = required(visible[at]);
    if (element.getBoundingClientRect().top > innerHeight) break;
    for (const time of element.querySelectorAll('time')) setRelativeTime(now, time);
  }
}

/** The index of the first row on the screen, by binary search. */
function firstOnScreen() {
  let [low, high] = [0, visible.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (required(visible[middle]).element.getBoundingClientRect().bottom < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param {number} now @param {HTMLTimeElement} time */
function setRelativeTime(now, time) {
  const ms = Date.parse(time.dateTime) - now;
  const far = distance(Math.abs(ms));
  // With no-break spaces.
  const text = ms > 0 ? `in\u00a0${far}` : `${far}\u00a0ago`;
  if (time.dataset['from'] !== text) time.dataset['from'] = text;
}

/** @param {number} ms */
function distance(ms) {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
