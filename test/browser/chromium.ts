/** Finds Chromium and opens pages in it, each watched for whatever a page should not do. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

function findChromium(): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'chromium');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next one, then.
    }
  }
  throw new Error('there is no chromium in the PATH: npm run test:browser:setup installs it');
}

/** Nothing is skipped where there is no browser: vitest ends with exit code 1 then. */
export default function setup(): void {
  findChromium();
}

/** Without its sandbox, for that cannot be had as root in a container; it opens nothing but our own page. */
export function launchBrowser(flags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox', ...flags] });
}

export interface Watched {
  readonly page: Page;
  /** What it complained of so far: errors of the script, of the console, of the Content-Security-Policy. */
  readonly complaints: string[];
}

/** A new page, not loaded yet, in a context of its own that goes when the browser does. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ timezoneId: 'America/New_York', ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('dialog', (dialog) => void dialog.dismiss().then(() => complaints.push(`dialog: ${dialog.message()}`)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  return { page, complaints };
}
