import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WORKER } from '../integration/in-lab.ts';
import { labOfTest, settingsFor, startProgram } from '../integration/program.ts';
import { startPathProxy } from '../lab/path-proxy.ts';
import { launchBrowser, openPage, type Watched } from './chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});

/** The program on a lab with machines, after its first passes, and its page. */
async function startPage(metadata: readonly Record<string, string>[], options: Parameters<typeof openPage>[1] = {}) {
  const lab = await labOfTest();
  for (const [index, each] of metadata.entries()) {
    await lab.addMachine({ id: `machine-${index}`, metadata: { ...WORKER, ...each } });
  }
  const program = startProgram(settingsFor(lab));
  await program.firstPass();
  // The first registered them, the second keeps them.
  await program.pass();
  const watched = await openPage(browser, options);
  await watched.page.goto(await program.url());
  return { lab, program, ...watched };
}

function isLive(page: Page): Promise<void> {
  return page.locator('#live.on').waitFor();
}

/** The addresses of the rows that are to be seen, from top to bottom. */
async function seen(page: Page): Promise<string[]> {
  return page.locator('tbody tr:not([hidden]) th a').allTextContents();
}

const RACKS = [{ rack: 'r1' }, { rack: 'r2' }, { rack: 'r1' }];

describe('the page', () => {
  it('shows every machine with its node, and complains of nothing', async () => {
    const { page, complaints } = await startPage(RACKS);
    await isLive(page);
    await expect(page.title()).resolves.toBe('All is well: 3 machines match, 3 nodes are kept. kube-register');
    const row = page.locator('tbody tr').first();
    expect((await row.locator('th, td').allInnerTexts()).map((text) => text.trim())).toEqual([
      'keep',
      expect.stringMatching(/^\d+s$/),
      '127.1.0.1 machine-',
      '127.1.0.1',
      'none',
      'healthy',
      expect.stringMatching(/^kubelet healthy/),
      'rack=r1',
    ]);
    await expect(row.locator('time').getAttribute('title')).resolves.toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
    await expect(row.locator('td b').getAttribute('title')).resolves.toBe('Its machine matches and it is alive.');
    expect(complaints).toEqual([]);
  });

  it('is live behind a reverse proxy that shows it under a path, and complains of nothing', async () => {
    const { lab, program } = await startPage(RACKS);
    const proxy = await startPathProxy(await program.url(), '/a/b/');
    onTestFinished(() => proxy.close());
    const { page, complaints } = await openPage(browser);
    await page.goto(proxy.url);
    await isLive(page);
    await expect(page.evaluate('document.styleSheets.length')).resolves.toBe(1);
    const { address } = await lab.addMachine({ id: 'machine-3', metadata: WORKER });
    await program.pass();
    await page.locator('tbody tr', { hasText: address }).first().waitFor();
    const [answer] = await Promise.all([
      page.waitForResponse(/status$/),
      page.getByRole('link', { name: '/status' }).click(),
    ]);
    expect([answer.status(), answer.url()]).toEqual([200, `${proxy.url}status`]);
    expect(complaints).toEqual([]);
  });

  it('is a table for those who do not see it', async () => {
    const { page } = await startPage(RACKS);
    await isLive(page);
    const table = page.getByRole('table', { name: 'Machines and nodes' });
    await expect(table.getByRole('columnheader').allTextContents()).resolves.toEqual([
      'Verdict',
      'Since',
      'Machine',
      'Node',
      'Ready',
      'Kubelet',
      'Next, and why',
      'Metadata',
    ]);
    await expect(table.getByRole('rowheader').count()).resolves.toBe(3);
    await expect(table.getByRole('cell').count()).resolves.toBe(21);
    await expect(page.getByRole('status').first().count()).resolves.toBe(1);
  });

  it('shows all of it without a script, and nothing that would need one', async () => {
    const { page } = await startPage(RACKS, { javaScriptEnabled: false });
    await expect(page.locator('tbody tr').count()).resolves.toBe(3);
    await expect(page.locator('main').innerText()).resolves.toContain('All is well: 3 machines match');
    await expect(page.locator('button, input:visible, kbd:visible, a[href^="#"]').count()).resolves.toBe(0);
    await page.locator('[data-part="history"] summary').click();
    await expect(page.locator('[data-part="history"] li').innerText()).resolves.toContain(
      'registered 3 nodes: 127.1.0.',
    );
    await page.locator('tbody th a').first().click();
    await expect(page.locator('main').innerText()).resolves.toContain('lists it at 127.1.0.1, with rack=r1');
    await page.getByRole('link', { name: 'all machines' }).click();
    await expect(page.locator('tbody tr').count()).resolves.toBe(3);
  });

  it('says how long ago things were by the clock of the daemon, whatever the browser has for one', async () => {
    const { page, program } = await startPage(RACKS);
    await page.clock.setSystemTime(new Date(Date.now() + 7 * 3_600_000));
    await page.goto(await program.url());
    await isLive(page);
    const lastPass = page.locator('[data-part="facts"] time[data-form="ago"]').first();
    await expect(lastPass.textContent()).resolves.toMatch(/^\d+(s|m)\sago$/);
  });

  it.each([320, 390, 768, 1_280])('is as wide as a screen of %i pixels, however long a word is', async (width) => {
    const { page } = await startPage([{ rack: 'x'.repeat(200) }], { viewport: { width, height: 800 } });
    await isLive(page);
    await expect(page.evaluate('document.documentElement.scrollWidth')).resolves.toBeLessThanOrEqual(width);
    await page.locator('tbody th a').click();
    await page.locator('#details h2').waitFor();
    await expect(page.evaluate('document.documentElement.scrollWidth')).resolves.toBeLessThanOrEqual(width);
    const isCut = `(() => { const { scrollWidth, clientWidth } = document.querySelector('#details'); return scrollWidth > clientWidth; })()`;
    await expect(page.evaluate(isCut)).resolves.toBe(false);
  });
});

describe('a person', () => {
  it('filters by typing, and finds the filter again in a link', async () => {
    const { page } = await startPage(RACKS);
    await isLive(page);
    await page.getByLabel('Filter').fill('rack=r1 HEALTHY');
    await expect(seen(page)).resolves.toEqual(['127.1.0.1', '127.1.0.3']);
    await expect(page.locator('output').textContent()).resolves.toBe('2 of 3');
    await page.reload();
    await isLive(page);
    await expect(page.getByLabel('Filter').inputValue()).resolves.toBe('rack=r1 HEALTHY');
    await expect(seen(page)).resolves.toEqual(['127.1.0.1', '127.1.0.3']);
    await page.getByLabel('Filter').fill('-rack=r1 role=kubernetes');
    await expect(seen(page)).resolves.toEqual(['127.1.0.2']);
    await page.getByLabel('Filter').fill('verdict:held,keep -verdict:orphan MACHINE-2');
    await expect(seen(page)).resolves.toEqual(['127.1.0.3']);
    await page.getByLabel('Filter').fill('no such thing');
    await expect(seen(page)).resolves.toEqual([]);
    await expect(page.locator('#empty').innerText()).resolves.toContain('None of the 3 rows matches “no such thing”');
    await page.getByLabel('Filter').press('Escape');
    await expect(seen(page)).resolves.toHaveLength(3);
    await expect(page.locator('#empty').innerText()).resolves.toBe('');
  });

  it('sees one verdict alone by a click on its count, and all again, and goes back', async () => {
    const { page, lab, program } = await startPage(RACKS);
    await isLive(page);
    lab.fleet.removeMachine('machine-1');
    await program.pass();
    await page.getByRole('link', { name: '1 orphan' }).click();
    await expect(seen(page)).resolves.toEqual(['127.1.0.2']);
    expect(page.url()).toContain('#filter=verdict%3Aorphan');
    await page.getByRole('link', { name: '3 in total' }).click();
    await expect(seen(page)).resolves.toHaveLength(3);
    await page.goBack();
    await expect.poll(() => seen(page)).toEqual(['127.1.0.2']);
  });

  it('sorts by a click on a heading, the other way by another, and finds that again', async () => {
    const { page } = await startPage([{ rack: 'r10' }, { rack: 'r9' }, { rack: 'r11' }]);
    await isLive(page);
    const heading = page.getByRole('columnheader', { name: 'Metadata' });
    await heading.getByRole('button').click();
    await expect(seen(page)).resolves.toEqual(['127.1.0.2', '127.1.0.1', '127.1.0.3']);
    await expect(heading.getAttribute('aria-sort')).resolves.toBe('ascending');
    await heading.getByRole('button').press('Enter');
    await expect(seen(page)).resolves.toEqual(['127.1.0.3', '127.1.0.1', '127.1.0.2']);
    await page.reload();
    await isLive(page);
    await expect(seen(page)).resolves.toEqual(['127.1.0.3', '127.1.0.1', '127.1.0.2']);
    await expect(heading.getAttribute('aria-sort')).resolves.toBe('descending');
  });

  it('sees all that is known of a machine by a click on its row, goes back, and finds it again in a link', async () => {
    const { page } = await startPage(RACKS);
    await isLive(page);
    const details = page.getByRole('complementary', { name: 'Details' });
    await page.locator('tbody tr', { hasText: 'rack=r2' }).click();
    await details.getByText('lists it at 127.1.0.2, with rack=r2').waitFor();
    await details.getByText('kubectl describe node 127.1.0.2').waitFor();
    await page.reload();
    await details.getByText('lists it at 127.1.0.2').waitFor();
    await details.getByRole('button', { name: 'Close' }).click();
    await expect(details.isVisible()).resolves.toBe(false);
    await expect(page.locator(':focus').innerText()).resolves.toBe('127.1.0.2');
    await page.locator('tbody tr', { hasText: 'machine-' }).first().click();
    await details.getByText('lists it at 127.1.0.1').waitFor();
    await page.goBack();
    await expect(details.isVisible()).resolves.toBe(false);
  });

  it('sees the details that were asked for last, whichever come last', async () => {
    const { page } = await startPage(RACKS);
    await isLive(page);
    const requests: Route[] = [];
    await page.route('**/explain?*', (route) => void requests.push(route));
    await page.locator('tbody tr').first().click();
    await expect.poll(() => requests.length).toBe(1);
    await page.evaluate('showDetails()');
    await expect.poll(() => requests.length).toBe(2);
    for (const [at, word] of [
      [1, 'newer'],
      [0, 'older'],
    ] as const) {
      const answered = page.waitForResponse('**/explain?*').then((response) => response.finished());
      await requests[at]?.fulfill({ contentType: 'text/html', body: `<main class="details"><h2>${word}</h2></main>` });
      await answered;
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
      await expect(page.locator('#details h2').innerText()).resolves.toBe('newer');
    }
  });

  it('copies a command, or has it selected where the browser does not let a page copy', async () => {
    const { page } = await startPage(RACKS);
    await isLive(page);
    await page.locator('tbody tr').first().click();
    const command = page.locator('#details figure', { hasText: 'kubectl describe node' });
    await page.evaluate(
      `Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: async (text) => void (window.copied = text) } })`,
    );
    await command.getByRole('button').click();
    await command.getByText('Copied').waitFor();
    await expect(page.evaluate('window.copied')).resolves.toBe('kubectl describe node 127.1.0.1');
    await page.evaluate(`Object.defineProperty(navigator, 'clipboard', { value: undefined })`);
    await command.getByRole('button').click();
    await command.getByText('Selected').waitFor();
    await expect(page.evaluate('String(getSelection())')).resolves.toBe('kubectl describe node 127.1.0.1');
  });

  it('needs no mouse', async () => {
    const { page } = await startPage(RACKS);
    await isLive(page);
    const focused = () => page.locator(':focus').innerText();
    const details = page.locator('#details');
    await page.keyboard.press('j');
    await expect(focused()).resolves.toBe('127.1.0.1');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await expect(focused()).resolves.toBe('127.1.0.2');
    await page.keyboard.press('Enter');
    await details.getByText('lists it at 127.1.0.2').waitFor();
    await page.keyboard.press('k');
    await details.getByText('lists it at 127.1.0.1').waitFor();
    await page.keyboard.press('Escape');
    await expect(details.isVisible()).resolves.toBe(false);
    await expect(focused()).resolves.toBe('127.1.0.1');
    await page.keyboard.press('/');
    await page.keyboard.type('rack=r2 jk');
    await expect(seen(page)).resolves.toEqual([]);
    await page.keyboard.press('Escape');
    await page.keyboard.type('rack=r2');
    await page.keyboard.press('Enter');
    await expect(focused()).resolves.toBe('127.1.0.2');
  });
});

describe('a page that is open', () => {
  it('shows what a pass has changed, where a page that is loaded then has it', async () => {
    const { page, lab, program, complaints } = await startPage(RACKS);
    await isLive(page);
    await page.evaluate('window.sameDocument = true');
    await lab.addMachine({ id: 'machine-3', metadata: WORKER });
    lab.fleet.removeMachine('machine-1');
    await lab.kubelets.at('127.1.0.3')?.stop();
    await program.pass();
    await page.getByText('1 node is not alive').waitFor();
    const live = await seen(page);
    const fresh = await openPage(browser);
    await fresh.page.goto(await program.url());
    expect(live).toEqual(await seen(fresh.page));
    expect(live).toEqual(['127.1.0.3', '127.1.0.2', '127.1.0.1', '127.1.0.4']);
    await expect(page.locator('[data-part="history"] summary').innerText()).resolves.toContain('registered 127.1.0.4');
    await expect(page.evaluate('window.sameDocument')).resolves.toBe(true);
    expect([...complaints, ...fresh.complaints]).toEqual([]);
  });

  it('keeps what was typed, opened and focused', async () => {
    const { page, lab, program } = await startPage([...RACKS, ...RACKS]);
    await isLive(page);
    await page.locator('tbody tr').first().click();
    await page.locator('#details').getByText('lists it at 127.1.0.1').waitFor();
    await page.locator('[data-part="history"] summary').click();
    await page.getByLabel('Filter').fill('r2');
    await page.getByRole('link', { name: '6 in total' }).focus();
    await lab.addMachine({ id: 'another', metadata: { ...WORKER, rack: 'r2' } });
    await program.pass();
    await expect.poll(() => seen(page)).toHaveLength(3);
    await expect(page.locator('details[open] li').count()).resolves.toBe(2);
    await expect(page.locator(':focus').innerText()).resolves.toBe('7 in total');
    await expect(page.locator('#details').innerText()).resolves.toContain('lists it at 127.1.0.1');
  });

  it('keeps the focus on a row that changes, and tells in the details what has changed', async () => {
    const { page, lab, program } = await startPage(RACKS);
    await isLive(page);
    await page.locator('tbody tr').first().click();
    const details = page.locator('#details');
    await details.getByText('lists it at 127.1.0.1').waitFor();
    await page.locator('tbody a', { hasText: '127.1.0.2' }).focus();
    lab.fleet.removeMachine('machine-0');
    await lab.kubelets.at('127.1.0.2')?.stop();
    await program.pass();
    await page.locator('tr[data-verdict="in-grace"]', { hasText: '127.1.0.2' }).waitFor();
    await expect(page.locator(':focus').innerText()).resolves.toBe('127.1.0.2');
    await details.getByText('There is no such machine or node').waitFor();
  });

  it('says so when the daemon is gone, and is live again when there is another one', async () => {
    const { page, program, lab } = await startPage(RACKS);
    await isLive(page);
    const { port } = new URL(await program.url());
    await program.stop();
    const off = page.locator('#live.off');
    await off.waitFor();
    expect(await off.textContent()).toMatch(
      /^Not connected since \d\d:\d\d:\d\d UTC; retrying\. This page shows the state at \d\d:\d\d:\d\d UTC\.$/,
    );
    await expect(seen(page)).resolves.toHaveLength(3);
    lab.fleet.removeMachine('machine-1');
    const next = startProgram({ ...settingsFor(lab), LISTEN: `127.0.0.1:${port}` });
    await next.firstPass();
    await isLive(page);
    await expect.poll(() => page.locator('tr[data-verdict="orphan"]').count()).toBe(1);
  });

  it('lets go when nobody looks at it, and catches up when somebody does', async () => {
    const { page, lab, program } = await startPage(RACKS);
    await isLive(page);
    const look = (hidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`,
      );
    const streams = await program.openSockets();
    await look(true);
    await expect.poll(() => program.openSockets()).toBeLessThan(streams);
    await lab.addMachine({ id: 'machine-3', metadata: WORKER });
    await program.pass();
    await expect(seen(page)).resolves.toHaveLength(3);
    await look(false);
    await expect.poll(() => seen(page)).toHaveLength(4);
    await isLive(page);
  });
});

describe('hostile metadata', () => {
  const EVIL = `"><img src=x onerror="window.pwned=1"><script>window.pwned=2</script><svg onload=alert(3)>`;

  async function expectHarmless({ page, complaints }: Watched): Promise<void> {
    await expect(page.locator('tbody td:last-child').first().innerText()).resolves.toContain('<img src=x onerror=');
    await expect(page.locator('main').locator('img, script, svg').count()).resolves.toBe(0);
    await expect(page.evaluate('window.pwned')).resolves.toBeUndefined();
    expect(complaints).toEqual([]);
  }

  it('is text, when the page is loaded and when it is sent later', async () => {
    const watched = await startPage([{ [EVIL]: EVIL }]);
    await isLive(watched.page);
    await expectHarmless(watched);
    await watched.lab.addMachine({ metadata: { ...WORKER, rack: EVIL } });
    await watched.program.pass();
    await expect.poll(() => watched.page.locator('tbody tr').count()).toBe(2);
    await expectHarmless(watched);
  });

  it('could do nothing even if it were not', async () => {
    const { page, complaints } = await startPage(RACKS);
    await isLive(page);
    await page.evaluate(`document.querySelector('main').innerHTML += ${JSON.stringify(EVIL)}`);
    await expect.poll(() => complaints.some((each) => each.includes('Content Security Policy'))).toBe(true);
    await expect(page.evaluate('window.pwned')).resolves.toBeUndefined();
  });
});

it('is not shown to a web site that lets its name lead here', async () => {
  const { program } = await startPage(RACKS);
  const { host } = new URL(await program.url());
  const evil = await launchBrowserFor('evil.example', host);
  try {
    const { page } = await openPage(evil);
    const answer = await page.goto(`http://evil.example/`);
    expect(answer?.status()).toBe(421);
    await expect(page.innerText('body')).resolves.toContain('KUBE_REGISTER_PAGE_HOSTS');
  } finally {
    await evil.close();
  }
});

/** A browser for which that name leads to our server, as its owner could have it. */
function launchBrowserFor(name: string, host: string): Promise<Browser> {
  return launchBrowser([`--host-resolver-rules=MAP ${name} ${host}`]);
}
