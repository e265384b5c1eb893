// @ts-check
/** The table: sorts its rows and hides those that the filter leaves out. */

function readRows() {
  rows = new Map();
  for (const element of tbody.rows) rows.set(required(element.dataset['key']), newRow(element));
}

/** @param {HTMLTableRowElement} element @returns {Row} */
function newRow(element) {
  return { element, text: undefined, values: new Map() };
}

/** Sorts the rows in place, and filters them. */
function sortRows() {
  const sorted = [...rows.values()].sort(compare);
  let place = tbody.firstElementChild;
  for (const { element } of sorted) {
    if (element === place) place = place.nextElementSibling;
    else tbody.insertBefore(element, place);
  }
  rows = new Map(sorted.map((row) => [required(row.element.dataset['key']), row]));
  for (const heading of columns) {
    const isSorted = heading.dataset['column'] === sort.column;
    if (isSorted) heading.setAttribute('aria-sort', sort.isDown ? 'descending' : 'ascending');
    else heading.removeAttribute('aria-sort');
  }
  filterRows();
}

/** @param {Row} a @param {Row} b */
function compare(a, b) {
  const [left, right] = [valueIn(a, sort.column), valueIn(b, sort.column)];
  if (left !== right) {
    // Rows without a value come last in either direction.
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
  const text = cell?.querySelector('a, span')?.textContent ?? '';
  const time = cell?.querySelector('time')?.dateTime ?? '';
  switch (column) {
    case 'verdict':
      return `${RANKS[concern]} ${verdict} ${padNumbers(linkOf(element).textContent)}`;
    case 'since':
      return time;
    case 'next':
      return time === '' ? `~${cell?.textContent}` : time;
    case 'ready':
    case 'metadata':
      return padNumbers(cell?.textContent?.trim() ?? '');
    default:
      return padNumbers(text);
  }
}

/** Pads numbers with zeros, so that 10.0.0.9 sorts before 10.0.0.10. @param {string} text */
function padNumbers(text) {
  return text.replace(/\d+/g, (digits) => digits.padStart(12, '0'));
}

/** Hides the rows that do not match the filter, and shows how many do. */
function filterRows() {
  const words = filterInput.value.toLowerCase().split(/\s+/);
  const wanted = words.filter((word) => word !== '' && word !== '-');
  visible = [];
  for (const row of rows.values()) {
    const isWanted = wanted.every((word) => (word.startsWith('-') ? !matches(row, word.slice(1)) : matches(row, word)));
    if (row.element.hidden === isWanted) row.element.hidden = !isWanted;
    if (isWanted) visible.push(row);
  }
  shownCount.textContent = wanted.length === 0 ? '' : `${visible.length} of ${rows.size}`;
  emptyLine.textContent = emptyText();
  updateTimes();
}

function emptyText() {
  if (visible.length > 0) return '';
  if (rows.size === 0) return 'No machine and no node is known.';
  return `None of the ${rows.size} rows matches \u201c${filterInput.value.trim()}\u201d. Esc in the filter shows them all.`;
}

/** @param {Row} row @param {string} word */
function matches(row, word) {
  const verdicts = /^verdict:(.*)$/.exec(word)?.[1];
  if (verdicts !== undefined) return verdicts.split(',').includes(required(row.element.dataset['verdict']));
  row.text ??= textOf(row.element);
  return row.text.includes(word);
}

/** All that the filter looks through: the cells, and the titles with the whole ID and all addresses and metadata. @param {HTMLTableRowElement} element */
function textOf(element) {
  const titles = [...element.cells].map(({ dataset, title }) => dataset['words'] ?? title);
  return [element.textContent, ...titles].join(' ').toLowerCase();
}
