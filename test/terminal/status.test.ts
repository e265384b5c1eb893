/** `kube-register status` in windows of tmux and in a pipe: what fits is shown, the rest is counted, and the terminal is left as it was. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Status } from '../../src/status/document.ts';
import { labOfTest, MAIN, settingsFor, startProgram } from '../integration/program.ts';
import { aMachine, aNode, aStatus } from '../unit/status/status-sketch.ts';
import { Pane } from './pane.ts';

const WORKER = { role: 'kubernetes' };
const DUE = '2026-01-02T00:33:00.000Z';

/** So many machines with a node each; the first ones are dead. */
function clusterOf(machines: number, dead: number): Status {
  const hosts = Array.from({ length: machines }, (_, at) => ({
    id: at.toString(16).padStart(32, 'f'),
    name: `10.0.${Math.floor(at / 250)}.${(at % 250) + 1}`,
    isDead: at < dead,
  }));
  return aStatus({
    machines: hosts.map(({ id, name, isDead }) =>
      aMachine({
        id,
        addresses: [name],
        node: name,
        metadata: { ...WORKER, rack: 'r1' },
        kubelet: { state: isDead ? 'silent' : 'healthy', detail: '', since: null },
      }),
    ),
    nodes: hosts.map(({ id, name, isDead }) =>
      aNode({
        name,
        mark: id,
        machine: id,
        addresses: [name],
        ...(isDead && { verdict: 'in-grace', next: 'will be deregistered in 29m', due: DUE }),
      }),
    ),
  });
}

/** What a daemon would serve; `status` can be replaced and `isUp` taken away. Returns how commands name it. */
async function daemonOfTest(status: Status): Promise<{ status: Status; readonly place: string; stop(): void }> {
  const daemon = { status, place: '', stop: () => void server.close() };
  const server = createServer((_, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json', connection: 'close' })
      .end(JSON.stringify(daemon.status)),
  ).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  daemon.place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return daemon;
}

const ESCAPE = '\u001b';
const program = `${process.execPath} ${MAIN}`;

describe('status in a window', () => {
  it.each([
    [60, 24, /^NAME +VERDICT +SINCE +NEXT$/],
    [80, 24, /^NAME +KUBELET +VERDICT +SINCE +NEXT$/],
    [140, 40, /^NAME +MACHINE +METADATA +KUBELET +VERDICT +SINCE +NEXT$/],
  ])(
    'of %i columns and %i lines shows the headline, the most urgent rows and how many more there are',
    async (columns, rows, heading) => {
      const { place } = await daemonOfTest(clusterOf(1_000, 23));
      const pane = await Pane.open(`${program} status --daemon ${place}`, { columns, rows });
      const lines = await pane.showing(/^exit 0$/);
      expect(lines.length).toBeLessThanOrEqual(rows);
      expect(lines[0]).toMatch(/^23 nodes are not alive: the first will be deregistered/);
      expect(lines.some((line) => heading.test(line))).toBe(true);
      const names = lines.filter((line) => line.startsWith('10.0.0.')).map((line) => line.split(/ +/)[0]);
      expect(names.length).toBeGreaterThan(5);
      expect(names).toEqual(names.map((_, at) => `10.0.0.${at + 1}`));
      const [, more, ofThem = '0'] =
        /^\.\.\. (\d+) more: (?:(\d+) in-grace, )?\d+ keep$/.exec(lines.at(-2) ?? '') ?? [];
      expect(Number(more)).toBe(1_000 - names.length);
      expect(Number(ofThem)).toBe(Math.max(0, 23 - names.length));
      const first = lines.find((line) => line.startsWith('10.0.0.1 '));
      expect(first).toMatch(/ in-grace +1d +will be deregistered in 28m$/);
    },
  );

  it('has colors, unless NO_COLOR is set', async () => {
    const { place } = await daemonOfTest(clusterOf(3, 1));
    const red = `${ESCAPE}[31min-grace`;
    const size = { columns: 80, rows: 24 };
    const colored = await Pane.open(`${program} status --daemon ${place}`, size);
    await colored.showing(/^exit 0$/);
    expect(await colored.colored()).toContain(red);
    const plain = await Pane.open(`${program} status --daemon ${place}`, { ...size, env: { NO_COLOR: '1' } });
    await plain.showing(/^exit 0$/);
    expect(await plain.colored()).not.toContain(red);
  });

  it('tells what it shows of a filter, and what is like a name that nothing has', async () => {
    const { place } = await daemonOfTest(clusterOf(40, 2));
    const size = { columns: 80, rows: 24 };
    const filtered = await Pane.open(`${program} status --verdict in-grace --daemon ${place}`, size);
    const lines = await filtered.showing(/^exit 0$/);
    expect(lines).toContain('shown       --verdict in-grace: 2 of 40 rows');
    expect(lines.filter((line) => line.startsWith('10.0.0.')).length).toBe(2);
    const unknown = await Pane.open(`${program} status 10.0.0.39x --daemon ${place}`, size);
    expect((await unknown.showing(/exit 1$/)).join('')).toContain(
      'kube-register status: no machine or node matches "10.0.0.39x"; did you mean 10.0.0.39?',
    );
  });
});

describe('status --watch in a window', () => {
  const WATCH = { columns: 80, rows: 24 };

  it('draws each status in place, and follows the size of the window', async () => {
    const daemon = await daemonOfTest(clusterOf(1_000, 23));
    const pane = await Pane.open(`${program} status --watch --daemon ${daemon.place}`, WATCH);
    const lines = await pane.showing(/^\.\.\. \d+ more/);
    expect(lines.length).toBe(24);
    expect(lines[0]).toMatch(/^23 nodes are not alive/);
    expect(await pane.state()).toEqual({ isAlternate: true, hasCursor: false });

    await pane.resize(60, 14);
    const small = await pane.showing(/^\.\.\. 99\d more/);
    expect(small.length).toBeLessThanOrEqual(14);
    expect(small[0]).toMatch(/^23 nodes are not alive/);

    daemon.status = clusterOf(1_000, 0);
    expect((await pane.showing(/^All is well/))[0]).toMatch(/^All is well/);
  });

  it.each([
    ['SIGINT', (pane: Pane) => pane.press('C-c')],
    ['SIGTERM', (pane: Pane) => pane.terminate()],
  ])('gives the terminal back at %s', async (_, end) => {
    const { place } = await daemonOfTest(clusterOf(3, 0));
    const pane = await Pane.open(`echo before; ${program} status --watch --daemon ${place}`, WATCH);
    await pane.showing(/^All is well/);
    await end(pane);
    expect(await pane.showing(/^exit 0$/)).toEqual(['before', 'exit 0']);
    expect(await pane.state()).toEqual({ isAlternate: false, hasCursor: true });
  });
});

describe('status in a pipe', () => {
  it('has every row on a line of its own, whole, without colors', async () => {
    const { place } = await daemonOfTest(clusterOf(1_000, 23));
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'status', '--daemon', place], {
      env: { COLUMNS: '60', TERM: 'xterm-256color' },
      maxBuffer: 10_000_000,
    });
    const rows = stdout.split('\n').filter((line) => line.startsWith('10.0.'));
    expect(rows.length).toBe(1_000);
    expect(rows[0]).toMatch(
      /^10\.0\.0\.1 +f{31}0 +10\.0\.0\.1 +role=kubernetes,rack=r1 +unreachable +in-grace +1d +will be deregistered in 28m$/,
    );
    expect([ESCAPE, '…'].filter((text) => stdout.includes(text))).toEqual([]);
  });
});

describe('a death', () => {
  it('is shown in the watch with what follows, and the end of the daemon above it', async () => {
    const lab = await labOfTest();
    const [doomed] = await lab.addMachines(15, WORKER);
    const daemon = startProgram(settingsFor(lab));
    await daemon.firstPass();
    await daemon.pass();
    const pane = await Pane.open(`${program} status -w --daemon ${await daemon.url()}`, { columns: 80, rows: 24 });
    await pane.showing(/^All is well: 15 machines match/);
    await doomed?.kubelet.stop();
    await daemon.pass();
    const lines = await pane.showing(/in-grace/);
    expect(lines[0]).toMatch(/^1 node is not alive: it will be deregistered in /);
    await daemon.stop();
    expect((await pane.showing(/the connection was refused/))[0]).toMatch(/^GET http:.*refused: the daemon/);
    await pane.press('C-c');
    await pane.showing(/^exit 0$/);
    expect(await pane.state()).toEqual({ isAlternate: false, hasCursor: true });
  });
});
