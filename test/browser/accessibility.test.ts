import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAxe } from './axe.ts';
import { launchBrowser, openPage } from './chromium.ts';
import { ENDINGS, type Showcase, startShowcase } from './showcase.ts';

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1_280, height: 900 };
const WAYS = [
  { way: 'in light', colorScheme: 'light', viewport: DESK },
  { way: 'in the dark', colorScheme: 'dark', viewport: DESK },
  { way: 'on a phone', colorScheme: 'light', viewport: PHONE },
  { way: 'on a phone in the dark', colorScheme: 'dark', viewport: PHONE },
] as const;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe.each(ENDINGS)('the page, when %s,', (ending) => {
  let showcase: Showcase;
  beforeAll(async () => {
    showcase = await startShowcase(ending);
  });
  afterAll(() => showcase.close());

  it.each(WAYS)('has nothing that axe finds $way', async ({ colorScheme, viewport }) => {
    const { page, complaints } = await openPage(browser, { colorScheme, viewport });
    await page.goto(showcase.url);
    await page.locator('#live.on').waitFor();
    const { violations, undecided, passed } = await askAxe(page);
    expect({ violations, undecided, complaints }).toEqual({ violations: [], undecided: [], complaints: [] });
    expect(passed).toBeGreaterThan(20);
    await page.locator('tbody th a').first().click();
    await page.locator('#details h2').waitFor();
    const details = await askAxe(page, '#details');
    expect(details).toMatchObject({ violations: [], undecided: [] });
    await page.context().close();
  });

  it('does not move while its times count', async () => {
    const { page } = await openPage(browser, { viewport: DESK });
    await page.goto(showcase.url);
    await page.locator('#live.on').waitFor();
    await page.evaluate(`window.shifts = [];
      new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(({ value }) => value)))
        .observe({ type: 'layout-shift' })`);
    const time = page.locator('[data-part="facts"] time[data-form="ago"]').first();
    for (let ticks = 0; ticks < 3; ticks += 1) {
      const before = await time.textContent();
      await expect.poll(() => time.textContent()).not.toBe(before);
    }
    await expect(page.evaluate('window.shifts')).resolves.toEqual([]);
    await page.context().close();
  });
});

it('has nothing that axe finds on the page about a machine', async () => {
  const showcase = await startShowcase();
  const { page } = await openPage(browser, { viewport: DESK });
  await page.goto(showcase.url);
  await page.goto(new URL((await page.locator('tbody th a').first().getAttribute('href')) ?? '', showcase.url).href);
  const { violations, undecided } = await askAxe(page);
  expect({ violations, undecided }).toEqual({ violations: [], undecided: [] });
  await showcase.close();
});

it('has nothing that axe finds when it is not connected', async () => {
  const showcase = await startShowcase();
  const { page } = await openPage(browser, { viewport: PHONE });
  await page.goto(showcase.url);
  await page.locator('#live.on').waitFor();
  await showcase.close();
  await page.locator('#live.off').waitFor();
  const { violations, undecided } = await askAxe(page);
  expect({ violations, undecided }).toEqual({ violations: [], undecided: [] });
});
