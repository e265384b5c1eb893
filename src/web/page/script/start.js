// @ts-check
/**
 * The script of the page: filter, sorting, details, keys, relative times and live updates. The page is complete without it. These files are
 * served as one script, `start.js` first: they share their variables and functions.
 */

/**
 * @typedef {object} Row
 * @property {HTMLTableRowElement} element
 * @property {string | undefined} text Its text in lower case; read when a filter first needs it.
 * @property {Map<string, string>} values The sort keys by column.
 */

/**
 * @typedef {object} Update What a pass has changed, or all parts.
 * @property {string} now
 * @property {string} shown
 * @property {Record<string, string>} parts HTML by name.
 * @property {string} rows HTML of the new and changed rows.
 * @property {readonly string[]} gone Keys of the rows to remove.
 */

const RANKS = /** @type {Record<string, number>} */ ({ trouble: 0, watch: 1, well: 2, idle: 3 });
const DEFAULT_SORT = 'verdict';
/** The server sends an event every 15 s; without one for this long, the page reconnects. */
const SILENCE_MS = 40_000;
const RETRY_MS = 5_000;
const RELOAD_MS = 1_000;

const tbody = required(document.querySelector('tbody'));
const filterInput = /** @type {HTMLInputElement} */ (required(document.querySelector('#words')));
const shownCount = required(document.querySelector('output'));
const emptyLine = required(document.querySelector('#empty'));
const liveLine = required(document.querySelector('#live'));
const details = /** @type {HTMLElement} */ (required(document.querySelector('#details')));
const columns = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('th[data-column]'))];

/** @type {Map<string, Row>} */
let rows = new Map();
/** The rows that the filter shows, in their order. @type {Row[]} */
let visible = [];
let sort = { column: DEFAULT_SORT, isDown: false };
/** The query of the row whose details are shown; empty for none. */
let opened = '';
/** How many times details were loaded or hidden. */
let loads = 0;
/** How far the daemon's clock is ahead of the browser's, in ms. */
let clockAhead = 0;
/** The daemon's time of the shown state, ISO 8601. */
let shownAt = '';
/** @type {EventSource | undefined} */
let stream;
/** The pending retry or reconnect. @type {number | undefined} */
let timer;
/** When the page went offline, by the daemon's clock. @type {string | undefined} */
let offlineSince;

document.documentElement.classList.add('scripted');
makeSortButtons();
setClock(required(document.body.dataset['now']));
readRows();
readHash();
showChoice();
connect();

setInterval(updateTimes, 1_000);
addEventListener('scroll', oncePerFrame(updateTimes), { passive: true });
addEventListener('resize', oncePerFrame(updateTimes), { passive: true });
addEventListener('hashchange', () => {
  readHash();
  showChoice();
});
filterInput.addEventListener('input', () => {
  writeHash();
  makeFilterLinks();
  filterRows();
});
document.addEventListener('keydown', onKey);
tbody.addEventListener('click', onRowClick);
tbody.addEventListener('mouseover', showWholeText);
details.addEventListener('click', onDetailsClick);
// A hidden page gives up its connection: the server has few.
document.addEventListener('visibilitychange', () => (document.hidden ? disconnect() : connect()));
