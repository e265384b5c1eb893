/** `npm run screenshots`: takes the pictures of README.md anew, from the showcase, in `test/browser/screenshots/`. */
import { mkdirSync, statSync } from 'node:fs';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { NO_FILTER, shownRows } from '../../src/commands/status/filter.ts';
import { statusLines } from '../../src/commands/status/status.ts';
import { Terminal } from '../../src/commands/terminal.ts';
import { launchBrowser, openPage } from './chromium.ts';
import { startShowcase } from './showcase.ts';

const FOLDER = new URL('screenshots/', import.meta.url);
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

mkdirSync(FOLDER, { recursive: true });
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
await browser.close();
for (const name of [...PICTURES.map((picture) => picture.name), 'status']) {
  console.log(`${fileOf(name)}: ${Math.round(statSync(fileOf(name)).size / 1024)} KiB`);
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`${name}.png`, FOLDER));
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
