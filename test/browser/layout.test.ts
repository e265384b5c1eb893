import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openPage } from './chromium.ts';
import { HEIGHT, STATES, WIDTHS } from './states.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/**
 * In the page: the pairs of texts that are painted over each other. Each text is as large as it is painted: cut by the boxes around it that
 * cut. Texts below the fold are left out.
 */
const OVERLAPS = `(root) => {
  const boxes = [];
  const walker = document.createTreeWalker(document.querySelector(root), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    if (text.data.trim() === '' || !text.parentElement.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (let box of range.getClientRects()) {
      let { left, top, right, bottom } = box;
      for (let each = text.parentElement; each !== null; each = each.parentElement) {
        const { overflowX, clipPath, display } = getComputedStyle(each);
        if (clipPath !== 'none') [left, right] = [0, 0];
        if (overflowX === 'visible' || display === 'inline') continue;
        const cut = each.getBoundingClientRect();
        [left, top] = [Math.max(left, cut.left), Math.max(top, cut.top)];
        [right, bottom] = [Math.min(right, cut.right), Math.min(bottom, cut.bottom)];
      }
      if (right - left > 1 && bottom - top > 1 && top < innerHeight) boxes.push({ left, top, right, bottom, text });
    }
  }
  const overlaps = [];
  for (const [index, a] of boxes.entries()) {
    for (const b of boxes.slice(index + 1)) {
      const [width, height] = [Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)];
      // Lines are set closer than their letters could be high; a text that is cut has two boxes.
      if (a.text !== b.text && width > 1 && height > 3) overlaps.push(a.text.data.trim() + ' | ' + b.text.data.trim());
    }
  }
  return { overlaps, texts: boxes.length };
}`;

async function overlapsIn(page: Page, root: string): Promise<{ overlaps: string[]; texts: number }> {
  return page.evaluate(`(${OVERLAPS})(${JSON.stringify(root)})`);
}

/** In the page: how many rows are seen whole, how high they are and where the first begins. */
const ROWS = `(() => {
  const boxes = [...document.querySelectorAll('tbody tr')].slice(0, 100).map((row) => row.getBoundingClientRect());
  return {
    seen: boxes.filter(({ bottom }) => bottom <= innerHeight).length,
    heights: [...new Set(boxes.map(({ height }) => height))],
    firstEnds: boxes[0].bottom,
  };
})()`;

describe.each(STATES)('the page, when $state,', ({ start }) => {
  let shown: Awaited<ReturnType<typeof start>>;
  let page: Page;
  beforeAll(async () => {
    shown = await start();
    ({ page } = await openPage(browser));
    await page.goto(shown.url);
    await page.locator('#live.on').waitFor();
  });
  afterAll(async () => {
    await page.context().close();
    await shown.close();
  });

  it.each(WIDTHS)('paints no text over another one and is as wide as a window of %i pixels', async (width) => {
    await page.setViewportSize({ width, height: HEIGHT });
    const { overlaps, texts } = await overlapsIn(page, 'body');
    expect(overlaps).toEqual([]);
    expect(texts).toBeGreaterThan(40);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    await page.locator('tbody th a').first().click();
    await page.locator('#details h2').waitFor();
    expect((await overlapsIn(page, '#details')).overlaps).toEqual([]);
    expect(await page.evaluate(`document.querySelector('#details').scrollWidth`)).toBeLessThanOrEqual(width);
    await page.keyboard.press('Escape');
  });

  it('has room for twenty rows of one line at 1280 x 860', async () => {
    await page.setViewportSize({ width: 1_280, height: 860 });
    const { seen, heights } = await page.evaluate<{ seen: number; heights: number[] }>(ROWS);
    expect(heights.every((height) => height >= 27 && height <= 29)).toBe(true);
    expect(seen).toBeGreaterThanOrEqual(Math.min(await page.locator('tbody tr').count(), 20));
    const top = await page.evaluate<number>(`document.querySelector('tbody').getBoundingClientRect().top`);
    expect((860 - top) / 28).toBeGreaterThan(20);
  });

  it('has the first machine on the first screen of a phone', async () => {
    await page.setViewportSize({ width: 390, height: 664 });
    const { firstEnds } = await page.evaluate<{ firstEnds: number }>(ROWS);
    expect(firstEnds).toBeLessThan(664);
  });
});
