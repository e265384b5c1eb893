// @ts-check
/** The filter, the order and the opened row, which are kept in the address of the page. */

function readHash() {
  const chosen = new URLSearchParams(location.hash.slice(1));
  filterInput.value = chosen.get('filter') ?? '';
  opened = chosen.get('open') ?? '';
  const by = chosen.get('sort') ?? DEFAULT_SORT;
  const column = by.replace(/^-/, '');
  const isKnown = columns.some(({ dataset }) => dataset['column'] === column);
  sort = isKnown ? { column, isDown: by.startsWith('-') } : { column: DEFAULT_SORT, isDown: false };
}

function showChoice() {
  makeFilterLinks();
  sortRows();
  showDetails();
}

function writeHash() {
  history.replaceState(null, '', hashOf({}));
}

/** The address with another filter or another opened row. @param {{ filter?: string, open?: string }} other */
function hashOf({ filter = filterInput.value, open = opened }) {
  const chosen = new URLSearchParams();
  if (filter !== '') chosen.set('filter', filter);
  if (sort.column !== DEFAULT_SORT || sort.isDown) chosen.set('sort', `${sort.isDown ? '-' : ''}${sort.column}`);
  if (open !== '') chosen.set('open', open);
  return `#${chosen}`;
}

function makeSortButtons() {
  for (const heading of columns) {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener('click', () => {
      const column = required(heading.dataset['column']);
      sort = { column, isDown: column === sort.column && !sort.isDown };
      writeHash();
      makeFilterLinks();
      sortRows();
    });
  }
}

/** Turns the counts into links: each filters by its verdict. */
function makeFilterLinks() {
  for (const count of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-filter]'))) {
    const link = count instanceof HTMLAnchorElement ? count : document.createElement('a');
    const filter = required(count.dataset['filter']);
    link.href = hashOf({ filter });
    if (filter === filterInput.value.trim()) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
    if (link === count) continue;
    link.dataset['filter'] = filter;
    link.title = count.title;
    link.append(...count.childNodes);
    count.replaceWith(link);
  }
}
