// @ts-check
/** The page, once it runs in a browser: filter, sort, times from now, and what every pass changes. Without it the page is whole. */

/**
 * @typedef {object} Row
 * @property {HTMLTableRowElement} element
 * @property {string | undefined} text All that it says, in small letters; read when it is first looked for.
 * @property {Map<string, string>} values By column: what it is sorted by.
 */

/**
 * @typedef {object} Update What a pass has changed, or the whole of the parts.
 * @property {string} now
 * @property {string} shown
 * @property {Record<string, string>} parts HTML by name.
 * @property {string} rows HTML of the rows that are new or changed.
 * @property {readonly string[]} gone Keys.
 */

const RANKS = /** @type {Record<string, number>} */ ({ trouble: 0, watch: 1, well: 2, idle: 3 });
const DEFAULT_SORT = 'verdict';
/** The server sends something every 15 seconds. */
const SILENCE_MS = 40_000;
const TRY_AGAIN_MS = 5_000;
const RELOAD_MS = 1_000;

const tbody = must(document.querySelector('tbody'));
const words = /** @type {HTMLInputElement} */ (must(document.querySelector('#words')));
const shownCount = must(document.querySelector('output'));
const liveLine = must(document.querySelector('#live'));
const columns = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('th[data-column]'))];

/** @type {Map<string, Row>} */
let rows = new Map();
/** In the order of the page, without those that the filter hides. @type {Row[]} */
let visible = [];
let sort = { column: DEFAULT_SORT, isDown: false };
/** How far the daemon's clock is ahead of this one's, in ms. */
let clockAhead = 0;
/** The daemon's time of what is shown, ISO 8601. */
let shownAt = '';
/** @type {EventSource | undefined} */
let stream;
/** What is to happen when nothing else does. @type {number | undefined} */
let watch;
/** When it ceased to be live, by the daemon's clock. @type {string | undefined} */
let lostAt;

document.documentElement.classList.add('scripted');
makeButtons();
takeClock(must(document.body.dataset['now']));
takeAllRows();
readHash();
offerFilters();
arrange();
connect();

setInterval(tick, 1_000);
addEventListener('scroll', soon(tick), { passive: true });
addEventListener('resize', soon(tick), { passive: true });
addEventListener('hashchange', () => {
  readHash();
  offerFilters();
  arrange();
});
words.addEventListener('input', () => {
  writeHash();
  offerFilters();
  show();
});
// A page that nobody sees must not keep others from being live.
document.addEventListener('visibilitychange', () => (document.hidden ? disconnect() : connect()));

// --- The table. ---

function takeAllRows() {
  rows = new Map();
  for (const element of tbody.rows) rows.set(must(element.dataset['key']), newRow(element));
}

/** @param {HTMLTableRowElement} element @returns {Row} */
function newRow(element) {
  return { element, text: undefined, values: new Map() };
}

/** Puts every row where the order wants it, and hides what the filter does not want. */
function arrange() {
  const sorted = [...rows.values()].sort(compare);
  let place = tbody.firstElementChild;
  for (const { element } of sorted) {
    if (element === place) place = place.nextElementSibling;
    else tbody.insertBefore(element, place);
  }
  rows = new Map(sorted.map((row) => [must(row.element.dataset['key']), row]));
  for (const heading of columns) {
    const isSorted = heading.dataset['column'] === sort.column;
    if (isSorted) heading.setAttribute('aria-sort', sort.isDown ? 'descending' : 'ascending');
    else heading.removeAttribute('aria-sort');
  }
  show();
}

/** @param {Row} a @param {Row} b */
function compare(a, b) {
  const [left, right] = [valueIn(a, sort.column), valueIn(b, sort.column)];
  if (left !== right) {
    // What has no value comes last, whichever way it is sorted.
    if (left === '' || right === '') return left === '' ? 1 : -1;
    return left < right !== sort.isDown ? -1 : 1;
  }
  const [one, other] = [valueIn(a, DEFAULT_SORT), valueIn(b, DEFAULT_SORT)];
  return one < other ? -1 : Number(one > other);
}

/** @param {Row} row @param {string} column */
function valueIn(row, column) {
  const known = row.values.get(column);
  if (known !== undefined) return known;
  const value = readValue(row.element, column);
  row.values.set(column, value);
  return value;
}

/** @param {HTMLTableRowElement} element @param {string} column */
function readValue(element, column) {
  const { concern = '', verdict = '' } = element.dataset;
  const cell = element.cells[columns.findIndex(({ dataset }) => dataset['column'] === column)];
  const name = cell?.querySelector('b')?.textContent ?? '';
  const time = cell?.querySelector('time')?.dateTime ?? '';
  switch (column) {
    case 'verdict':
      return `${RANKS[concern]} ${verdict} ${counted(element.cells[0]?.querySelector('b')?.textContent ?? '')}`;
    case 'kubelet':
      return name === '' ? '' : `${name} ${time}`;
    case 'next':
      return time === '' && cell?.textContent ? `~${cell.textContent}` : time;
    case 'metadata':
      return counted(cell?.textContent?.trim() ?? '');
    default:
      return name === 'none' ? '' : counted(name);
  }
}

/** So that 10.0.0.9 comes before 10.0.0.10. @param {string} text */
function counted(text) {
  return text.replace(/\d+/g, (digits) => digits.padStart(12, '0'));
}

/** Hides what the filter does not want, and says how much is left. */
function show() {
  const wanted = words.value
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  visible = [];
  for (const row of rows.values()) {
    const isWanted = wanted.every((word) => has(row, word));
    if (row.element.hidden === isWanted) row.element.hidden = !isWanted;
    if (isWanted) visible.push(row);
  }
  shownCount.textContent = wanted.length === 0 ? '' : `${visible.length} of ${rows.size}`;
  tick();
}

/** @param {Row} row @param {string} word */
function has(row, word) {
  const [key, ...rest] = word.split(':');
  if (key === 'verdict') return row.element.dataset['verdict'] === rest.join(':');
  row.text ??= row.element.textContent.toLowerCase();
  return row.text.includes(word);
}

// --- What a person chooses. It is kept in the address of the page. ---

function readHash() {
  const chosen = new URLSearchParams(location.hash.slice(1));
  words.value = chosen.get('filter') ?? '';
  const by = chosen.get('sort') ?? DEFAULT_SORT;
  const column = by.replace(/^-/, '');
  const isKnown = columns.some(({ dataset }) => dataset['column'] === column);
  sort = isKnown ? { column, isDown: by.startsWith('-') } : { column: DEFAULT_SORT, isDown: false };
}

function writeHash() {
  history.replaceState(null, '', hashOf(words.value));
}

/** @param {string} filter */
function hashOf(filter) {
  const chosen = new URLSearchParams();
  if (filter !== '') chosen.set('filter', filter);
  if (sort.column !== DEFAULT_SORT || sort.isDown) chosen.set('sort', `${sort.isDown ? '-' : ''}${sort.column}`);
  return `#${chosen}`;
}

function makeButtons() {
  for (const heading of columns) {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener('click', () => {
      const column = must(heading.dataset['column']);
      sort = { column, isDown: column === sort.column && !sort.isDown };
      writeHash();
      offerFilters();
      arrange();
    });
  }
}

/** Makes links of the counts: each shows its verdict alone. */
function offerFilters() {
  for (const count of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-filter]'))) {
    const link = count instanceof HTMLAnchorElement ? count : document.createElement('a');
    const filter = must(count.dataset['filter']);
    link.href = hashOf(filter);
    if (filter === words.value.trim()) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
    if (link === count) continue;
    link.dataset['filter'] = filter;
    link.append(...count.childNodes);
    count.replaceWith(link);
  }
}

// --- Times from now. ---

/** @param {string} now The daemon's. */
function takeClock(now) {
  shownAt = now;
  clockAhead = Date.parse(now) - Date.now();
}

/** Says how far every time is from now that somebody can see. */
function tick() {
  const now = Date.now() + clockAhead;
  for (const time of document.querySelectorAll('[data-part] time')) sayFrom(now, /** @type {HTMLTimeElement} */ (time));
  for (let at = firstOnScreen(); at < visible.length; at += 1) {
    const { element } = must(visible[at]);
    if (element.getBoundingClientRect().top > innerHeight) break;
    for (const time of element.querySelectorAll('time')) sayFrom(now, time);
  }
}

/** The rows are below each other, so that the first on the screen is found by halves. */
function firstOnScreen() {
  let [low, high] = [0, visible.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (must(visible[middle]).element.getBoundingClientRect().bottom < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param {number} now @param {HTMLTimeElement} time */
function sayFrom(now, time) {
  const ms = Date.parse(time.dateTime) - now;
  const far = distance(Math.abs(ms));
  // With spaces that do not break.
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

// --- What the daemon sends. ---

function connect() {
  disconnect();
  if (document.hidden) return;
  const opened = new EventSource(`live?shown=${encodeURIComponent(must(document.body.dataset['shown']))}`);
  stream = opened;
  opened.addEventListener('update', ({ data }) => {
    apply(JSON.parse(data));
    heard();
  });
  opened.addEventListener('beat', heard);
  opened.addEventListener('stale', () => {
    disconnect();
    void loadAnew();
  });
  opened.addEventListener('again', connect);
  opened.addEventListener('error', () => {
    lost();
    // The browser tries again by itself, but not after an answer that it does not like.
    if (opened.readyState === EventSource.CLOSED) after(TRY_AGAIN_MS, connect);
  });
  after(SILENCE_MS, silent);
}

function disconnect() {
  clearTimeout(watch);
  stream?.close();
  stream = undefined;
}

function heard() {
  lostAt = undefined;
  liveLine.className = 'on';
  say('live');
  after(SILENCE_MS, silent);
}

function silent() {
  lost();
  connect();
}

function lost() {
  lostAt ??= new Date(Date.now() + clockAhead).toISOString();
  liveLine.className = 'off';
  say(`Not connected since ${clockOf(lostAt)} UTC: what you see is from ${clockOf(shownAt)} UTC. Trying again.`);
}

/** Once, for it is read out. @param {string} text */
function say(text) {
  if (liveLine.textContent !== text) liveLine.textContent = text;
}

/** @param {string} iso */
function clockOf(iso) {
  return iso.slice(11, 19);
}

/** One of these is under way at a time. @param {number} ms @param {() => void} act */
function after(ms, act) {
  clearTimeout(watch);
  watch = setTimeout(act, ms);
}

/** The page has missed something: it fetches itself, and takes over what is there. */
async function loadAnew() {
  try {
    const answer = await fetch('../../page/', { headers: { Accept: 'text/html' } });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const { shown = '', now = '', version } = fresh.body.dataset;
    if (version !== document.body.dataset['version']) {
      location.reload();
      return;
    }
    const parts = /** @type {NodeListOf<HTMLElement>} */ (fresh.querySelectorAll('[data-part]'));
    takeParts(Object.fromEntries([...parts].map((part) => [part.dataset['part'], part.innerHTML])));
    tbody.replaceChildren(...must(fresh.querySelector('tbody')).children);
    document.body.dataset['shown'] = shown;
    takeClock(now);
    takeAllRows();
    arrange();
    after(RELOAD_MS, connect);
  } catch {
    lost();
    after(TRY_AGAIN_MS, connect);
  }
}

/** @param {Update} update */
function apply({ now, shown, parts, rows: changed, gone }) {
  takeClock(now);
  document.body.dataset['shown'] = shown;
  takeParts(parts);
  const template = document.createElement('template');
  template.innerHTML = changed;
  const fresh = /** @type {HTMLTableRowElement[]} */ ([...template.content.children]);
  for (const key of [...gone, ...fresh.map(({ dataset }) => must(dataset['key']))]) {
    rows.get(key)?.element.remove();
    rows.delete(key);
  }
  for (const element of fresh) rows.set(must(element.dataset['key']), newRow(element));
  if (fresh.length > 0 || gone.length > 0) arrange();
  else tick();
}

/** @param {Record<string, string>} parts */
function takeParts(parts) {
  const focused = document.activeElement?.getAttribute('data-filter');
  for (const [name, html] of Object.entries(parts)) {
    const part = document.querySelector(`[data-part="${name}"]`);
    if (part === null) continue;
    const wasOpen = part.querySelector('details')?.open ?? false;
    part.innerHTML = html;
    const details = part.querySelector('details');
    if (details !== null) details.open = wasOpen;
  }
  offerFilters();
  if (focused == null) return;
  const again = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('a[data-filter]'));
  [...again].find(({ dataset }) => dataset['filter'] === focused)?.focus();
}

// --- Small things. ---

/** At most once a frame. @param {() => void} act */
function soon(act) {
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
function must(value) {
  if (value === null || value === undefined) throw new Error('the page is not as its script expects it');
  return value;
}
