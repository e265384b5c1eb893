// @ts-check
/** Relative times: how long ago each time on the screen was, in place of the time. */

/** @param {string} now The daemon's time. */
function setClock(now) {
  shownAt = now;
  clockAhead = Date.parse(now) - Date.now();
}

/** Updates the relative times that are on the screen. */
function updateTimes() {
  const now = Date.now() + clockAhead;
  for (const time of document.querySelectorAll('[data-part] time, #details time')) setRelativeTime(now, time);
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

/** Writes how long ago it was; the time itself becomes the title. A time `at` which something was stays as it is. @param {number} now @param {Element} element */
function setRelativeTime(now, element) {
  const time = /** @type {HTMLTimeElement} */ (element);
  if (time.dataset['form'] === 'at') return;
  if (time.title === '') time.title = `${time.dateTime.replace('T', ' ').replace('Z', '')} UTC`;
  const text = relativeText(time.dataset['form'], Date.parse(time.dateTime) - now);
  if (time.textContent !== text) time.textContent = text;
}

/** @param {string | undefined} form @param {number} ms Until then; negative for times that are past. */
function relativeText(form, ms) {
  const age = distance(Math.abs(ms));
  switch (form) {
    case 'age':
      return age;
    case 'for':
      return `for\u00a0${age}`;
    case 'due':
      return ms > 0 ? `in\u00a0${age}` : 'now';
    default:
      return ms > 0 ? `in\u00a0${age}` : `${age}\u00a0ago`;
  }
}

/** The two largest units below ten of the larger, else the larger alone: `45s`, `3m12s`, `21m`, `2h5m`. @param {number} ms */
function distance(ms) {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return units(seconds, 60, 'm', 1, 's');
  if (seconds < 86_400) return units(seconds, 3_600, 'h', 60, 'm');
  return units(seconds, 86_400, 'd', 3_600, 'h');
}

/** @param {number} seconds @param {number} large @param {string} largeUnit @param {number} small @param {string} smallUnit */
function units(seconds, large, largeUnit, small, smallUnit) {
  const count = Math.floor(seconds / large);
  const rest = Math.floor((seconds % large) / small);
  return count < 10 && rest > 0 ? `${count}${largeUnit}${rest}${smallUnit}` : `${count}${largeUnit}`;
}
