// @ts-check
/** The keys: `/` filters, `j` and `k` move between rows, Enter opens the focused row (it is a link), Esc closes. */

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const act = event.target === filterInput ? keyInFilter(event.key) : keyOutside(event.key);
  if (act === undefined) return;
  event.preventDefault();
  act();
}

/** @param {string} key @returns {(() => void) | undefined} */
function keyInFilter(key) {
  switch (key) {
    case 'Escape':
      return () => (filterInput.value === '' ? filterInput.blur() : setFilter(''));
    case 'Enter':
    case 'ArrowDown':
      return () => focusRow(visible[0]);
    default:
      return undefined;
  }
}

/** @param {string} key @returns {(() => void) | undefined} */
function keyOutside(key) {
  switch (key) {
    case '/':
      return () => {
        filterInput.focus();
        filterInput.select();
      };
    case 'j':
      return () => moveBy(1);
    case 'k':
      return () => moveBy(-1);
    case 'Escape':
      return opened === '' ? undefined : closeDetails;
    default:
      return undefined;
  }
}

/** Focuses the next or previous row; where details are shown, they become its own. @param {number} step */
function moveBy(step) {
  const focused = document.activeElement?.closest('tbody tr') ?? (opened === '' ? undefined : openedRow());
  const at = visible.findIndex(({ element }) => element === focused);
  const row = visible[at === -1 ? 0 : Math.min(Math.max(at + step, 0), visible.length - 1)];
  focusRow(row);
  if (row === undefined || opened === '') return;
  opened = queryOf(row.element);
  writeHash();
  showDetails();
}

/** @param {Row | undefined} row */
function focusRow(row) {
  if (row === undefined) return;
  linkOf(row.element).focus();
  row.element.scrollIntoView({ block: 'nearest' });
}

/** @param {string} filter */
function setFilter(filter) {
  filterInput.value = filter;
  writeHash();
  makeFilterLinks();
  filterRows();
}
