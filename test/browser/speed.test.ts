import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Status } from '../../src/status/document.ts';
import { systemClock } from '../../src/time/clock.ts';
import { pageRoutes } from '../../src/web/page/routes.ts';
import { startWebServer, type WebServer } from '../../src/web/server.ts';
import { aMachine, aNode, aStatus, EVIDENCE } from '../unit/status/status-sketch.ts';
import { launchBrowser, openPage } from './chromium.ts';

const MANY = 5_000;
const CHANGED = 100;
const ROUNDS = 9;
const WHERE = { host: '127.0.0.1', port: 0 };

/** A cluster of that size after so many passes: of its nodes the first hundred say something else in each. */
function clusterOf(size: number, number: number): Status {
  const { pass } = aStatus();
  const indices = Array.from({ length: size }, (_, index) => index);
  const addressOf = (index: number) => `10.${index >> 8}.${index & 255}.7`;
  return aStatus({
    pass: { ...pass, number },
    machines: indices.map((index) =>
      aMachine({
        id: index.toString(16).padStart(32, '0'),
        addresses: [addressOf(index)],
        metadata: { role: 'kubernetes', rack: `r${index % 40}`, disk: index % 2 ? 'ssd' : 'hdd' },
        kubelet: { state: 'healthy', detail: 'answered 200', since: aStatus().startedAt },
        node: addressOf(index),
      }),
    ),
    nodes: indices.map((index) =>
      aNode({
        name: addressOf(index),
        machine: index.toString(16).padStart(32, '0'),
        origin: 'registered',
        managedSince: aStatus().startedAt,
        evidence: { ...EVIDENCE, kubelet: 'healthy', node: 'unread', alive: true },
        verdict: index < CHANGED && number % 2 === 1 ? 'in-grace' : 'keep',
        reason: index < CHANGED ? `seen in ${number} passes` : 'kubelet healthy; node not read',
      }),
    ),
  });
}

interface Served {
  readonly server: WebServer;
  readonly url: string;
  /** Another pass ends. */
  pass(): void;
}

async function serve(size: number): Promise<Served> {
  let status = clusterOf(size, 1);
  let changed = () => {};
  const daemon = {
    status: () => status,
    onChange: (callback: () => void) => {
      changed = callback;
    },
  };
  const log = { write: () => {}, debug: () => {} };
  const routes = {
    metrics: async () => ({ contentType: 'text/plain', body: '' }),
    healthz: () => undefined,
    readyz: () => undefined,
    status: () => status,
    ...pageRoutes(daemon, { listen: WHERE.host, pageHosts: [] }, { log, clock: systemClock }),
  };
  const server = await startWebServer({ listen: WHERE, routes, log, clock: systemClock });
  const pass = () => {
    status = clusterOf(size, status.pass.number + 1);
    changed();
  };
  return { server, url: `http://${WHERE.host}:${server.address.port}`, pass };
}

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
    await Promise.all([many.server.close(), few.server.close()]);
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
