import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import type { Status } from '../../src/status/document.ts';
import { systemClock } from '../../src/time/clock.ts';
import type { Steps } from '../../src/time/steps.ts';
import { LiveFeed } from '../../src/web/page/live-feed.ts';
import { pageRoutes } from '../../src/web/page/routes.ts';
import { startWebServer, type WebServer } from '../../src/web/server.ts';
import { startPathProxy } from '../lab/path-proxy.ts';
import { aMachine, aPastAction, aStatus } from '../unit/status/status-sketch.ts';
import { WORKER } from './in-lab.ts';
import { GOOD_END, labOfTest, settingsFor, startProgram } from './program.ts';

const update = z.object({
  now: z.string(),
  shown: z.string(),
  parts: z.record(z.string(), z.string()),
  rows: z.string(),
  gone: z.array(z.string()),
});

const log = { write: vi.fn(), debug: vi.fn() };
/** What a daemon would say, and how it says that it is another status now. */
const daemon = {
  current: aStatus(),
  asked: 0,
  changed: () => {},
  onBegun: () => {},
  /** Resolves when the next status is begun: it is not that of a change after this. */
  begun: () =>
    new Promise<void>((resolve) => {
      daemon.onBegun = resolve;
    }),
  *statusSteps(): Steps<Status> {
    daemon.asked += 1;
    const { current } = daemon;
    daemon.onBegun();
    yield;
    return current;
  },
  onChange(callback: () => void): void {
    daemon.changed = callback;
  },
};
let server: WebServer;

beforeEach(async () => {
  vi.clearAllMocks();
  daemon.current = statusOf(1, ['a', 'b']);
  daemon.asked = 0;
  const listen = { host: '127.0.0.1', port: 0 };
  const routes = {
    metrics: async () => ({ contentType: 'text/plain', body: 'up 1\n' }),
    healthz: () => undefined,
    readyz: () => undefined,
    status: () => daemon.statusSteps(),
    ...pageRoutes(
      daemon,
      { listen: listen.host, pageHosts: [] },
      { log, clock: { wall: () => Date.parse(daemon.current.now) } },
    ),
  };
  server = await startWebServer({ listen, routes, log, clock: systemClock });
});

afterEach(() => server.close());

/** The status after that many passes, with a machine of each of these ids. */
function statusOf(number: number, ids: readonly string[], reason = ''): Status {
  const { pass } = aStatus();
  const machines = ids.map((id) => aMachine({ id, addresses: [`10.0.0.${id}`], reason }));
  return aStatus({ pass: { ...pass, number }, machines });
}

/** Another pass has ended, and this is what came of it. */
function passes(number: number, ids: readonly string[], reason?: string): void {
  daemon.current = statusOf(number, ids, reason);
  daemon.changed();
}

function shown(number: number): string {
  return `${Date.parse(aStatus().startedAt)}-${number}`;
}

/** A page that is open: it reads what it is sent. */
class Page {
  readonly response: IncomingMessage;
  #text = '';

  constructor(response: IncomingMessage) {
    this.response = response;
  }

  static async open(
    of = shown(1),
    { url = `http://127.0.0.1:${server.address.port}`, headers = {} as Record<string, string>, reads = true } = {},
  ): Promise<Page> {
    const asked = request(`${url}/live?shown=${of}`, { headers, agent: false }).end();
    const [response] = await once(asked, 'response');
    onTestFinished(() => response.destroy());
    const page = new Page(response);
    response.on('error', () => {});
    if (reads) response.setEncoding('utf8').on('data', (chunk: string) => (page.#text += chunk));
    return page;
  }

  /** The events so far. */
  get events(): readonly { readonly name: string; readonly id: string | undefined; readonly data: string }[] {
    return this.#text
      .split('\n\n')
      .slice(0, -1)
      .map((block) => Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s))))
      .filter(({ event }) => event !== undefined)
      .map(({ event, id, data }) => ({ name: event, id, data }));
  }

  get updates() {
    return this.events.filter(({ name }) => name === 'update').map(({ data }) => update.parse(JSON.parse(data)));
  }

  /** The update with this number, once it is there; the first has number 0. */
  update(number: number): Promise<z.infer<typeof update>> {
    return vi.waitFor(() => {
      const found = this.updates[number];
      if (found === undefined) throw new Error(`there are only ${this.updates.length}`);
      return found;
    });
  }

  /** Once it has been told so much. */
  heard(of: string): Promise<void> {
    return vi.waitFor(() => expect(this.#text.includes(`id: ${of}\n`)).toBe(true), { timeout: 10_000 });
  }

  /** Cut or ended, which is an error for Node's client unless it has read to the end. */
  ended(): Promise<void> {
    return new Promise((resolve) => {
      if (this.response.closed) resolve();
      else this.response.once('close', resolve);
    });
  }
}

function aFeed(): LiveFeed {
  return new LiveFeed({
    statusSteps: daemon.statusSteps,
    now: () => daemon.current.now,
    onError: () => expect.unreachable(),
  });
}

describe('a page that is open', () => {
  it('is told at once all that is not in the table', async () => {
    const first = await (await Page.open()).update(0);
    expect(first).toMatchObject({ shown: shown(1), now: aStatus().now, rows: '', gone: [] });
    expect(first.parts).toMatchObject({ summary: expect.stringContaining('All is well'), title: expect.any(String) });
  });

  it('is told what a pass has changed, and nothing else', async () => {
    const page = await Page.open();
    await page.update(0);
    daemon.current = statusOf(2, ['a', 'c']);
    daemon.current = {
      ...daemon.current,
      history: [aPastAction({ node: 'c', machine: 'c', reason: 'healthy' })],
    };
    daemon.changed();
    const { rows, gone, parts } = await page.update(1);
    expect(rows.match(/data-key="[^"]*"/g)).toEqual(['data-key="machine &#34;c&#34;"']);
    expect(gone).toEqual(['machine "b"']);
    expect(Object.keys(parts)).toEqual(['history']);
    passes(3, ['a', 'c'], 'another reason');
    expect((await page.update(2)).rows.match(/<tr/g)).toHaveLength(2);
    expect(page.events.map(({ id }) => id)).toEqual([shown(1), shown(2), shown(3)]);
  });

  it('is told in order what passes change that end while the changes of another are rendered', async () => {
    const page = await Page.open();
    await page.update(0);
    daemon.current = statusOf(2, ['a', 'c']);
    const rendering = daemon.begun();
    daemon.changed();
    await rendering;
    passes(3, ['a', 'c', 'd']);
    passes(4, ['a', 'd', 'e']);
    await page.heard(shown(4));
    // One update has what the last two passes changed.
    expect(page.events.map(({ id }) => id)).toEqual([shown(1), shown(2), shown(4)]);
    const keys = page.updates.map(({ rows }) => rows.match(/data-key="machine &#34;\w/g)?.map((key) => key.at(-1)));
    expect(keys).toEqual([undefined, ['c'], ['d', 'e']]);
    expect(page.updates.map(({ gone }) => gone)).toEqual([[], ['machine "b"'], ['machine "c"']]);
  });

  it('is told what changes while its first view is rendered', async () => {
    const rendering = daemon.begun();
    const page = await Page.open();
    await rendering;
    daemon.current = { ...daemon.current, dryRun: true };
    daemon.changed();
    await page.update(1);
    expect(page.events.map(({ id }) => id)).toEqual([shown(1), shown(1)]);
    expect(page.updates.map(({ parts }) => parts['notice']?.includes('Dry run'))).toEqual([false, true]);
  });

  it('is told that a pass runs, and no row of it', async () => {
    const page = await Page.open();
    await page.update(0);
    daemon.current = { ...daemon.current, pass: { ...daemon.current.pass, running: true } };
    daemon.changed();
    const { parts, rows, shown: now } = await page.update(1);
    expect([Object.keys(parts), rows, now]).toEqual([['facts'], '', shown(1)]);
    expect(parts['facts']).toContain('running now');
  });

  it('is told to load itself anew when it has missed a pass, and let go', async () => {
    const page = await Page.open(shown(0));
    await page.ended();
    expect(page.events).toEqual([{ name: 'stale', id: undefined, data: '{}' }]);
  });

  it('goes on where it was when it comes back in time', async () => {
    const first = await Page.open();
    await first.update(0);
    passes(2, ['a']);
    await first.update(1);
    const again = await Page.open(shown(1), { headers: { 'Last-Event-ID': shown(2) } });
    expect(await again.update(0)).toMatchObject({ shown: shown(2), rows: '' });
  });

  it('has the same as one that was opened later', async () => {
    const first = await Page.open();
    const { parts } = await first.update(0);
    daemon.current = { ...daemon.current, dryRun: true };
    const second = await Page.open();
    expect((await second.update(0)).parts).toEqual(parts);
    passes(2, ['a', 'b']);
    expect((await first.update(1)).parts).toEqual((await second.update(1)).parts);
  });

  it('has the time of its own moment, though it has what others have had for a while', async () => {
    await (await Page.open()).update(0);
    const now = new Date(Date.parse(aStatus().now) + 25_000).toISOString();
    daemon.current = { ...daemon.current, now };
    expect(await (await Page.open()).update(0)).toMatchObject({ now, shown: shown(1) });
  });

  it('has what was made for one that has gone, until a pass begins or ends', async () => {
    const first = await Page.open();
    const { parts } = await first.update(0);
    first.response.destroy();
    daemon.current = { ...daemon.current, dryRun: true };
    const second = await Page.open();
    expect((await second.update(0)).parts).toEqual(parts);
    second.response.destroy();
    await vi.waitFor(async () => {
      daemon.changed();
      const third = await Page.open();
      expect((await third.update(0)).parts['notice']).toContain('Dry run');
    });
  });

  it('hears every 15 s that it is still connected', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const page = await Page.open();
    await page.update(0);
    vi.advanceTimersByTime(45_000);
    await vi.waitFor(() => expect(page.events.map(({ name }) => name)).toEqual(['update', 'beat', 'beat', 'beat']));
    page.response.destroy();
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(0));
  });

  it('is cut when it does not read, and the others are not', async () => {
    const reader = await Page.open();
    const sleeper = await Page.open(shown(1), { reads: false });
    const ids = Array.from({ length: 2_000 }, (_, index) => `${index}`);
    const metadata = Object.fromEntries(ids.slice(0, 8).map((id) => [id, 'x'.repeat(60)]));
    // More than the sockets' buffers take.
    for (let number = 2; number < 14; number += 1) {
      daemon.current = statusOf(number, ids, `pass ${number}`);
      daemon.current = { ...daemon.current, machines: daemon.current.machines.map((each) => ({ ...each, metadata })) };
      daemon.changed();
      await reader.heard(shown(number));
    }
    const ended = sleeper.ended();
    sleeper.response.resume();
    await ended;
    expect(sleeper.response.complete).toBe(false);
    expect(reader.response.destroyed).toBe(false);
  });
});

describe('pages that are open', () => {
  it('are eight at most; the next gets a place when one goes', async () => {
    const pages = await Promise.all(Array.from({ length: 8 }, () => Page.open()));
    const ninth = await Page.open();
    expect(ninth.response.statusCode).toBe(503);
    pages[0]?.response.destroy();
    await vi.waitFor(async () => expect((await Page.open()).response.statusCode).toBe(200));
  });

  it('are eight at most even when a packet asks for twenty, and none keeps a place that is not there any more', async () => {
    const { host, port } = server.address;
    const socket = connect(port, host);
    socket.on('error', () => {});
    socket.write(`GET /live?shown=${shown(1)} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(20));
    socket.resume();
    await once(socket, 'close');
    const pages = await Promise.all(Array.from({ length: 8 }, () => Page.open()));
    expect(pages.map(({ response }) => response.statusCode)).toEqual(Array(8).fill(200));
  });

  it('end after ten minutes, so that one that does not read loses its place', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const page = await Page.open();
    const sleeper = await Page.open(shown(1), { reads: false });
    await page.update(0);
    vi.advanceTimersByTime(10 * 60_000 - 1);
    const late = await Page.open();
    await late.update(0);
    vi.advanceTimersByTime(1);
    await page.ended();
    expect(page.events.at(-1)?.name).toBe('again');
    expect(page.response.complete).toBe(true);
    expect(late.response.closed).toBe(false);
    const places = await Promise.all(Array.from({ length: 7 }, () => Page.open()));
    expect(places.map(({ response }) => response.statusCode)).toEqual(Array(7).fill(200));
    sleeper.response.destroy();
  });

  it('are eight at most even when nine are let in at once, and none is one that has gone meanwhile', () => {
    const feed = aFeed();
    const gone = new PassThrough().destroy();
    feed.join(shown(1), gone);
    const nine = Array.from({ length: 9 }, () => new PassThrough());
    for (const client of nine) feed.join(shown(1), client);
    expect(nine.filter(({ writableEnded }) => writableEnded)).toEqual([nine[8]]);
    for (const client of nine) client.destroy();
  });

  it('are cut when they take nothing any more, not even the word that their ten minutes are over', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const feed = aFeed();
    const stuck = new Writable({ write: () => {} });
    feed.join(shown(1), stuck);
    vi.advanceTimersByTime(10 * 60_000);
    expect([stuck.writableEnded, stuck.destroyed]).toEqual([true, false]);
    vi.advanceTimersByTime(15_000);
    expect(stuck.destroyed).toBe(true);
    const stale = new PassThrough().resume();
    feed.join(shown(0), stale);
    await once(stale, 'close');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leave connections for those who have to know', async () => {
    await Promise.all(Array.from({ length: 8 }, () => Page.open()));
    const answers = Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${server.address.port}/metrics`));
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
  });

  it('cost nothing while there are none', async () => {
    passes(2, ['a']);
    passes(3, ['b']);
    expect(daemon.asked).toBe(0);
    const page = await Page.open(shown(3));
    await page.update(0);
    page.response.destroy();
    await page.ended();
    await vi.waitFor(async () => {
      const before = daemon.asked;
      passes(4, ['a']);
      for (let turn = 0; turn < 10; turn += 1) await nextTurn();
      expect(daemon.asked).toBe(before);
    });
  });

  it('have one status made for them, however many come and go or have to load themselves anew', async () => {
    for (const of of [shown(0), shown(1), shown(0), shown(1)]) {
      const page = await Page.open(of);
      await vi.waitFor(() => expect(page.events).toHaveLength(1));
      page.response.destroy();
    }
    expect(daemon.asked).toBe(1);
  });

  it('are let go when their status cannot be shown, which is logged and reaches nobody else', async () => {
    const page = await Page.open();
    await page.update(0);
    const good = daemon.current;
    Object.assign(daemon, { current: { ...good, machines: null, pass: { ...good.pass, number: 2 } } });
    daemon.changed();
    await page.ended();
    expect(log.write).toHaveBeenCalledExactlyOnceWith('page-failed', expect.any(String), { err: expect.any(Error) });
    daemon.current = { ...good, pass: { ...good.pass, number: 3 } };
    expect(await (await Page.open(shown(3))).update(0)).toMatchObject({ shown: shown(3) });
  });
});

describe('the program', () => {
  it('tells a page what its pass did, and lets it go when it is stopped', async () => {
    const lab = await labOfTest();
    const program = startProgram(settingsFor(lab));
    await program.firstPass();
    const { body } = await program.get('/');
    const of = /data-shown="([^"]*)"/.exec(body)?.[1];
    const page = await Page.open(of, { url: await program.url() });
    await page.update(0);
    const { address } = await lab.addMachine({ metadata: WORKER });
    await program.pass();
    await vi.waitFor(() => {
      const last = page.updates.at(-1);
      expect(last?.rows).toContain(`>${address}</a>`);
      expect(last?.parts['history']).toContain('registered');
    });
    const ended = page.ended();
    expect(await program.stop()).toEqual(GOOD_END);
    await ended;
  });
});

describe('behind a reverse proxy, under a path', () => {
  const ELSEWHERE = /^[a-z]+:/i;

  it('the page refers to nothing outside of it, and all that it refers to is there', async () => {
    const proxy = await startPathProxy(`http://127.0.0.1:${server.address.port}`, '/a/b/');
    onTestFinished(() => proxy.close());
    const html = await (await fetch(proxy.url)).text();
    const references = [...html.matchAll(/\b(?:href|src)="([^"#]*)"/g)].map(([, reference = '']) => reference);
    expect(references.length).toBeGreaterThanOrEqual(5);
    for (const reference of references.filter((each) => !ELSEWHERE.test(each))) {
      const url = new URL(reference, proxy.url);
      expect(url.href.startsWith(proxy.url), reference).toBe(true);
      expect((await fetch(url)).status, reference).toBe(200);
    }
    const script = await (await fetch(new URL('page.js', proxy.url))).text();
    expect(script).not.toMatch(/['"`]\/[a-z]/);
  });
});
