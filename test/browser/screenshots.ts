/** `npm run screenshots`: takes the pictures of README.md anew, from the showcase, in `test/browser/screenshots/`. */
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launchBrowser, openPage } from './chromium.ts';
import { startShowcase } from './showcase.ts';

const FOLDER = new URL('screenshots/', import.meta.url);
const DESK = { width: 1_280, height: 860 };
const PICTURES = [
  { name: 'light', ending: 'all is as usual', colorScheme: 'light', viewport: DESK },
  { name: 'dark', ending: 'nodes are away', colorScheme: 'dark', viewport: DESK },
  { name: 'phone', ending: 'all is as usual', colorScheme: 'light', viewport: { width: 390, height: 860 } },
] as const;

mkdirSync(FOLDER, { recursive: true });
const browser = await launchBrowser();
for (const { name, ending, colorScheme, viewport } of PICTURES) {
  const showcase = await startShowcase(ending);
  const { page, complaints } = await openPage(browser, { colorScheme, viewport });
  await page.clock.setFixedTime(showcase.now);
  await page.goto(showcase.url);
  await page.locator('#live.on').waitFor();
  const path = fileURLToPath(new URL(`${name}.png`, FOLDER));
  await page.screenshot({ path, animations: 'disabled' });
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
  console.log(`${path}: ${Math.round(statSync(path).size / 1024)} KiB`);
  await page.context().close();
  await showcase.close();
}
await browser.close();
