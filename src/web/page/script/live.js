// @ts-check
/** Updates from the daemon, as server-sent events. */

function connect() {
  disconnect();
  if (document.hidden) return;
  const opened = new EventSource(`live?shown=${encodeURIComponent(required(document.body.dataset['shown']))}`);
  stream = opened;
  opened.addEventListener('update', ({ data }) => {
    apply(JSON.parse(data));
    markLive();
  });
  opened.addEventListener('beat', markLive);
  opened.addEventListener('stale', () => {
    disconnect();
    void reload();
  });
  opened.addEventListener('again', connect);
  opened.addEventListener('error', () => {
    markOffline();
    // The browser reconnects by itself, but not after an error response.
    if (opened.readyState === EventSource.CLOSED) after(RETRY_MS, connect);
  });
  after(SILENCE_MS, onSilence);
}

function disconnect() {
  clearTimeout(timer);
  stream?.close();
  stream = undefined;
}

function markLive() {
  offlineSince = undefined;
  liveLine.className = 'on';
  setLiveText('live');
  after(SILENCE_MS, onSilence);
}

function onSilence() {
  markOffline();
  connect();
}

function markOffline() {
  offlineSince ??= new Date(Date.now() + clockAhead).toISOString();
  liveLine.className = 'off';
  setLiveText(
    `Not connected since ${clockOf(offlineSince)} UTC; retrying. This page shows the state at ${clockOf(shownAt)} UTC.`,
  );
}

/** Sets the text only when it changes, because screen readers announce it. @param {string} text */
function setLiveText(text) {
  if (liveLine.textContent !== text) liveLine.textContent = text;
}

/** @param {string} iso */
function clockOf(iso) {
  return iso.slice(11, 19);
}

/** Replaces the pending timer. @param {number} ms @param {() => void} act */
function after(ms, act) {
  clearTimeout(timer);
  timer = setTimeout(act, ms);
}

/** Fetches the page again and takes over its contents, after it has missed an update. */
async function reload() {
  try {
    const answer = await fetch('./', { headers: { Accept: 'text/html' } });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const { shown = '', now = '', version } = fresh.body.dataset;
    if (version !== document.body.dataset['version']) {
      location.reload();
      return;
    }
    const parts = /** @type {NodeListOf<HTMLElement>} */ (fresh.querySelectorAll('[data-part]'));
    replaceParts(Object.fromEntries([...parts].map((part) => [part.dataset['part'], part.innerHTML])));
    const focused = focusedKey();
    tbody.replaceChildren(...required(fresh.querySelector('tbody')).children);
    document.body.dataset['shown'] = shown;
    setClock(now);
    readRows();
    sortRows();
    refocus(focused);
    showDetails();
    after(RELOAD_MS, connect);
  } catch {
    markOffline();
    after(RETRY_MS, connect);
  }
}

/** @param {Update} update */
function apply({ now, shown, parts, rows: changed, gone }) {
  setClock(now);
  const isOther = document.body.dataset['shown'] !== shown;
  document.body.dataset['shown'] = shown;
  replaceParts(parts);
  const template = document.createElement('template');
  template.innerHTML = changed;
  const fresh = /** @type {HTMLTableRowElement[]} */ ([...template.content.children]);
  const focused = focusedKey();
  for (const key of [...gone, ...fresh.map(({ dataset }) => required(dataset['key']))]) {
    rows.get(key)?.element.remove();
    rows.delete(key);
  }
  for (const element of fresh) rows.set(required(element.dataset['key']), newRow(element));
  if (fresh.length > 0 || gone.length > 0) sortRows();
  else updateTimes();
  refocus(focused);
  if (isOther) showDetails();
}

/** The key of the row that has the focus. */
function focusedKey() {
  const row = /** @type {HTMLElement | null | undefined} */ (document.activeElement?.closest('tbody tr'));
  return row?.dataset['key'];
}

/** Focuses the row again that had the focus, where it was replaced. @param {string | undefined} key */
function refocus(key) {
  const row = key === undefined ? undefined : rows.get(key);
  if (row !== undefined && !row.element.contains(document.activeElement))
    linkOf(row.element).focus({ preventScroll: true });
}

/** @param {Record<string, string>} parts */
function replaceParts(parts) {
  const focused = document.activeElement?.getAttribute('data-filter');
  for (const [name, html] of Object.entries(parts)) {
    const part = document.querySelector(`[data-part="${name}"]`);
    if (part === null) continue;
    const wasOpen = part.querySelector('details')?.open ?? false;
    part.innerHTML = html;
    const details = part.querySelector('details');
    if (details !== null) details.open = wasOpen;
  }
  makeFilterLinks();
  if (focused == null) return;
  const again = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('a[data-filter]'));
  [...again].find(({ dataset }) => dataset['filter'] === focused)?.focus();
}
