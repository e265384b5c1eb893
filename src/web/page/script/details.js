// @ts-check
/** The details of a row, beside the table: the main part of the page that its link leads to. */

/** @param {MouseEvent} event */
function onRowClick(event) {
  // Text can be selected, and a link opened in another tab.
  if (event.ctrlKey || event.metaKey || event.shiftKey || String(getSelection()) !== '') return;
  const row = event.target instanceof Element ? event.target.closest('tr') : null;
  if (row === null) return;
  event.preventDefault();
  openRow(row);
}

/** @param {HTMLTableRowElement} row */
function openRow(row) {
  const query = queryOf(row);
  if (query === opened) details.focus();
  else location.hash = hashOf({ open: query });
}

/** @param {HTMLTableRowElement} row */
function queryOf(row) {
  return linkOf(row).search.slice(1);
}

/** @param {HTMLTableRowElement} row */
function linkOf(row) {
  return /** @type {HTMLAnchorElement} */ (required(row.querySelector('th a')));
}

function closeDetails() {
  const row = openedRow();
  opened = '';
  writeHash();
  makeFilterLinks();
  showDetails();
  if (row !== undefined) linkOf(row).focus();
}

function openedRow() {
  return [...rows.values()].map(({ element }) => element).find((element) => queryOf(element) === opened);
}

/** Shows the details of the opened row and marks it, or hides them. */
function showDetails() {
  for (const { element } of rows.values()) {
    if (opened !== '' && queryOf(element) === opened) element.setAttribute('aria-current', 'true');
    else if (element.hasAttribute('aria-current')) element.removeAttribute('aria-current');
  }
  document.documentElement.classList.toggle('with-details', opened !== '');
  details.hidden = opened === '';
  loads += 1;
  if (opened !== '') void loadDetails(opened, loads);
  else {
    details.replaceChildren();
    details.dataset['query'] = '';
  }
}

/** @param {string} query @param {number} load The number of this load: only the last one that began is shown. */
async function loadDetails(query, load) {
  const main = await fetchDetails(query);
  if (load !== loads) return;
  const isOther = details.dataset['query'] !== query;
  if (main === undefined && !isOther) return;
  details.dataset['query'] = query;
  const fresh = document.createElement('div');
  fresh.innerHTML =
    main ?? '<h2>No details</h2><p>The daemon did not send them. They are loaded with the next pass.</p>';
  if (!isOther && details.dataset['html'] === fresh.innerHTML) return;
  details.dataset['html'] = fresh.innerHTML;
  addCopyButtons(fresh);
  details.replaceChildren(closeButton(), ...fresh.childNodes);
  updateTimes();
  if (!isOther) return;
  details.scrollTop = 0;
  details.focus({ preventScroll: true });
}

/** @param {string} query @returns {Promise<string | undefined>} Undefined where the daemon does not send them. */
async function fetchDetails(query) {
  try {
    const answer = await fetch(`explain?${query}`, { headers: { Accept: 'text/html' } });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    return page.querySelector('main.details')?.innerHTML;
  } catch {
    return undefined;
  }
}

function closeButton() {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'close';
  button.textContent = 'Close';
  return button;
}

/** @param {Element} fresh */
function addCopyButtons(fresh) {
  for (const command of fresh.querySelectorAll('figure')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    required(command.querySelector('figcaption')).append(' ', button);
  }
}

/** @param {MouseEvent} event */
function onDetailsClick({ target }) {
  if (!(target instanceof HTMLButtonElement)) return;
  if (target.className === 'close') closeDetails();
  else void copyBeside(target);
}

/** Copies the command; where the browser does not allow that, as without TLS, it is selected. @param {HTMLButtonElement} button */
async function copyBeside(button) {
  const command = required(button.closest('figure')?.querySelector('pre'));
  try {
    await navigator.clipboard.writeText(required(command.textContent));
    button.textContent = 'Copied';
  } catch {
    getSelection()?.selectAllChildren(command);
    button.textContent = 'Selected: press Ctrl+C';
  }
}

/** Gives a cell that is cut its whole text as title. @param {MouseEvent} event */
function showWholeText({ target }) {
  const cell = target instanceof Element ? target.closest('td') : null;
  if (cell !== null && cell.scrollWidth > cell.clientWidth) cell.title = required(cell.textContent).trim();
}
