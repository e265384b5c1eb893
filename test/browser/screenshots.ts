/**
 * `npm run screenshots`: takes the pictures of README.md anew, in `test/browser/screenshots/`, and for looking at them one of each state of
 * the page at five widths, light and dark, with and without details, in `build/screenshots/`.
 */
import { mkdirSync, statSync } from 'node:fs';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { NO_FILTER, shownRows } from '../../src/commands/status/filter.ts';
import { statusLines } from '../../src/commands/status/status.ts';
import { Terminal } from '../../src/commands/terminal/terminal.ts';
import { launchBrowser, openPage } from './chromium.ts';
import { startShowcase } from './showcase.ts';
import { HEIGHT, STATES, WIDTHS } from './states.ts';

const FOLDER = new URL('screenshots/', import.meta.url);
const ALL = new URL('../../build/screenshots/', import.meta.url);
const DESK = { width: 1_280, height: 860 };
const PICTURES = [
  { name: 'light', ending: 'all is as usual', colorScheme: 'light', viewport: DESK },
  { name: 'dark', ending: 'nodes are away', colorScheme: 'dark', viewport: DESK },
  { name: 'phone', ending: 'all is as usual', colorScheme: 'light', viewport: { width: 390, height: 860 } },
] as const;

const WINDOW = { columns: 120, rows: 40 };
const TERMINAL_STYLE = `<style>
  pre { display: inline-block; margin: 0; padding: 1em 1.5em; font: 13px/1.5 monospace; background: #14181d; color: #d5dae0 }
  .c1 { font-weight: bold } .c31 { color: #ff8a80 } .c32 { color: #6fdc94 } .c33 { color: #f3c65f } .c90 { color: #8a939d }
</style>`;

for (const folder of [FOLDER, ALL]) mkdirSync(folder, { recursive: true });
const browser = await launchBrowser();
for (const { name, ending, colorScheme, viewport } of PICTURES) {
  const showcase = await startShowcase(ending);
  const { page, complaints } = await openPage(browser, { colorScheme, viewport });
  await page.clock.setFixedTime(showcase.now);
  await page.goto(showcase.url);
  await page.locator('#live.on').waitFor();
  await page.screenshot({ path: fileOf(name), animations: 'disabled' });
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
  await page.context().close();
  await showcase.close();
}
await takeTerminal();
for (const { state, start } of STATES) await takeAll(state, start);
await browser.close();
for (const name of [...PICTURES.map((picture) => picture.name), 'status']) {
  console.log(`${fileOf(name)}: ${Math.round(statSync(fileOf(name)).size / 1024)} KiB`);
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`${name}.png`, FOLDER));
}

/** A state at every width, with the details of its first row where the name ends in `details`. */
async function takeAll(state: string, start: (typeof STATES)[number]['start']): Promise<void> {
  const shown = await start();
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of WIDTHS) {
      const { page } = await openPage(browser, { colorScheme, viewport: { width, height: HEIGHT } });
      if (shown.now !== undefined) await page.clock.setFixedTime(shown.now);
      await page.goto(shown.url);
      await page.locator('#live.on').waitFor();
      const name = `${state.replaceAll(' ', '-')}-${width}-${colorScheme}`;
      const save = (path: string) =>
        page.screenshot({ path: fileURLToPath(new URL(path, ALL)), animations: 'disabled' });
      await save(`${name}.png`);
      await page.locator('tbody th a').first().click();
      await page.locator('#details h2').waitFor();
      await save(`${name}-details.png`);
      await page.context().close();
    }
  }
  await shown.close();
}

/** What `kube-register status` prints in a window. */
async function takeTerminal(): Promise<void> {
  const showcase = await startShowcase();
  const screen = Object.assign(new Writable(), { isTTY: true });
  const terminal = new Terminal({ stdout: screen, stderr: screen, env: {} });
  const view = { shown: shownRows(showcase.status, NO_FILTER), filter: NO_FILTER, isWide: false, window: WINDOW };
  const text = statusLines(showcase.status, { daemon: 'http://127.0.0.1:10271' }, view, terminal).join('\n');
  const { page } = await openPage(browser, { viewport: { width: 2_000, height: 860 } });
  await page.setContent(TERMINAL_STYLE + pre(`$ kube-register status\n${text}`));
  await page.locator('pre').screenshot({ path: fileOf('status') });
  await showcase.close();
}

/** Escape sequences become spans, whose classes are their numbers. */
function pre(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const spans = escaped.split('\u001b[').map((part, index) => {
    const [, code = '', rest = part] = (index > 0 && /^(\d+)m(.*)$/s.exec(part)) || [];
    return code === '39' || code === '22' || code === '' ? rest : `<span class="c${code}">${rest}</span>`;
  });
  return `<pre>${spans.join('')}</pre>`;
}
