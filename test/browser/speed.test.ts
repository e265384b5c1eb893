import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openPage } from './chromium.ts';
import { type Served, serve } from './many.ts';

const MANY = 5_000;
const ROUNDS = 9;

/** In the page: ms until the frame after this was done is painted; the median of several. */
function untilPainted(page: Page, act: string): Promise<number> {
  return page.evaluate(`(async () => {
    const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    const times = [];
    for (let round = 0; round < ${ROUNDS}; round += 1) {
      await painted();
      const began = performance.now();
      await (${act})(round);
      await painted();
      times.push(performance.now() - began);
    }
    return times.toSorted((a, b) => a - b)[${ROUNDS >> 1}];
  })()`);
}

const TYPE = `(round) => {
  const words = document.querySelector('#words');
  words.value = ['rack=r7', 'rack=r', '10.3', ''][round % 4];
  words.dispatchEvent(new Event('input', { bubbles: true }));
}`;
const SORT = `(round) => document.querySelectorAll('thead button')[round % 2].click()`;

describe(`a page with ${MANY} rows`, () => {
  let browser: Browser;
  let many: Served;
  let few: Served;
  beforeAll(async () => {
    [browser, many, few] = await Promise.all([launchBrowser(), serve(MANY), serve(MANY / 100)]);
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([many.close(), few.close()]);
  });

  async function measure(served: Served) {
    const { page, complaints } = await openPage(browser, { viewport: { width: 1_280, height: 900 } });
    const began = performance.now();
    await page.goto(served.url);
    await page.locator('#live.on').waitFor();
    const load = performance.now() - began;
    const type = await untilPainted(page, TYPE);
    const sort = await untilPainted(page, SORT);
    await page.evaluate(`location.hash = ''`);
    await page.exposeFunction('pass', () => served.pass());
    // The server's part is in it: it renders every row, and compares it with the one before.
    const update = await untilPainted(
      page,
      `async () => {
        const before = document.body.dataset.shown;
        const seen = new Promise((resolve) => {
          new MutationObserver((_, observer) => {
            if (document.body.dataset.shown === before) return;
            observer.disconnect();
            resolve();
          }).observe(document.body, { attributes: true });
        });
        await pass();
        await seen;
      }`,
    );
    expect(complaints).toEqual([]);
    const rows = await page.locator('tbody tr').count();
    await page.context().close();
    return { rows, load, type, sort, update };
  }

  it('is filtered, sorted and brought up to date in a fraction of the time that it takes to load', async () => {
    const [small, large] = [await measure(few), await measure(many)];
    console.log('ms until painted:', { small, large });
    expect(large.rows).toBe(MANY);
    expect(large.type / large.load).toBeLessThan(0.25);
    expect(large.sort / large.load).toBeLessThan(0.5);
    expect(large.update / large.load).toBeLessThan(0.5);
  });

  it('is sent in a small part of its size', async () => {
    const sizeOf = async (encoding: string) => {
      const answer = await fetch(many.url, { headers: { 'Accept-Encoding': encoding } });
      return { bytes: Number(answer.headers.get('content-length')), text: await answer.text() };
    };
    const [zipped, plain] = [await sizeOf('gzip'), await sizeOf('identity')];
    console.log('bytes:', { zipped: zipped.bytes, plain: plain.bytes });
    expect(zipped.text).toBe(plain.text);
    expect(zipped.bytes / plain.bytes).toBeLessThan(0.15);
  });
});
