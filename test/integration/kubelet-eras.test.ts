/** The default URLs against kubelets of every era, as they were recorded, and with ports that drop packets. */

import { writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createKubeletProber, type KubeletProberOptions } from '../../src/kubelet/prober.ts';
import { rowOf } from '../../src/settings/table.ts';
import { certificate, serveHttps, serveRaw } from './loopback.ts';
import { folderOfTest, GOOD_END, labOfTest, settingsFor, startProgram } from './program.ts';
import { blackHole, freshAddress, recordedPorts, serveKubelet } from './recorded-kubelet.ts';

const DEFAULT_URLS = (rowOf('HEALTHZ_URL').default ?? '').split(',');
/** A check that waits for this long is not over before the test is. */
const FOR_EVER = 600_000;
const never = new AbortController().signal;

function proberOf(urlTemplates: readonly string[] = DEFAULT_URLS, more: Partial<KubeletProberOptions> = {}) {
  return createKubeletProber({
    urlTemplates,
    timeoutMs: FOR_EVER,
    concurrency: 10,
    tls: {},
    observer: { healthCheckDone: () => {} },
    ...more,
  });
}

/** What a client finds that knows what the kubelet speaks; certificates are not checked. */
function ask(url: string): Promise<number | undefined> {
  const request = url.startsWith('https:') ? httpsRequest(url, { rejectUnauthorized: false }) : httpRequest(url);
  return new Promise((resolve, reject) => {
    request.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
    request.end();
  });
}

/** The 2015 builds knew no answer to plain HTTP on a port with TLS: that came with Go 1.12, which the recorded ones had. */
function builtIn2015(release: string) {
  return recordedPorts(release).map((each) => (each.https === undefined ? each : { ...each, http: undefined }));
}

/** HTTPS only, and 401 to whoever is unknown: anonymous-auth=false and read-only-port=0. */
const TODAY = [
  {
    port: 10_250,
    http: recordedPorts('v1.1.8').find(({ port }) => port === 10_250)?.http,
    https: { status: 401, body: 'Unauthorized' },
  },
];

const ERAS = [
  ['v0.4.4: plain HTTP on 10250', recordedPorts('v0.4.4'), ['http:10250']],
  ['v0.17.1: HTTPS on 10250, HTTP on 10255', recordedPorts('v0.17.1'), ['http:10255', 'https:10250']],
  ['v0.17.1 as it was built in 2015', builtIn2015('v0.17.1'), ['http:10255', 'https:10250']],
  ['v1.1.8: HTTPS on 10250, HTTP on 10255', recordedPorts('v1.1.8'), ['http:10255', 'https:10250']],
  ['v1.1.8 as it was built in 2015', builtIn2015('v1.1.8'), ['http:10255', 'https:10250']],
  ['one of today: HTTPS only, with 401', TODAY, ['https:10250']],
] as const;

describe.each(ERAS)('the kubelet of %s', (_name, ports, healthyAt) => {
  it('is healthy by the default URLs, the first time and the next, and is none the worse for it', async () => {
    const address = freshAddress();
    await serveKubelet(address, ports);
    const prober = proberOf();
    const url = `(${healthyAt.map((at) => at.replace(':', `://${address}:`)).join('|')})/healthz`;
    for (let time = 0; time < 3; time += 1) {
      const { state, detail } = await prober.check(address, never);
      expect(state).toBe('healthy');
      expect(detail).toMatch(new RegExp(`^${url} answered (200|401)$`));
    }
    // It was spoken to in plain HTTP and in TLS on every port, and still answers those who speak as it does.
    for (const at of healthyAt) expect([200, 401]).toContain(await ask(`${at.replace(':', `://${address}:`)}/healthz`));
  });

  it('is at each URL alone what it was recorded to be', async () => {
    const address = freshAddress();
    await serveKubelet(address, ports);
    for (const url of DEFAULT_URLS) {
      const { protocol, port } = new URL(url.replace('{ip}', address));
      const said = ports.find((each) => `${each.port}` === port)?.[protocol === 'https:' ? 'https' : 'http'];
      const { state } = await proberOf([url]).check(address, never);
      expect([url, state]).toEqual([
        url,
        healthyAt.some((at) => at === `${protocol}${port}`) ? 'healthy' : said ? 'answers' : 'silent',
      ]);
    }
  });
});

it.each(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const)(
  'a kubelet that speaks no other TLS than %s is healthy',
  async (version) => {
    const address = freshAddress();
    const tls = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    await serveKubelet(address, [{ port: 10_250, http: undefined, https: { status: 200, body: 'ok' }, tls }]);
    expect((await proberOf().check(address, never)).detail).toBe(`https://${address}:10250/healthz answered 200`);
  },
);

describe('a URL that drops packets', () => {
  it('hides no other: with 10255 behind a firewall the third URL makes the kubelet healthy at once', async () => {
    const address = freshAddress();
    const hole = await blackHole(address, 10_255);
    await serveKubelet(address, TODAY);
    const prober = proberOf();
    for (let time = 0; time < 2; time += 1) {
      expect(await prober.check(address, never)).toEqual({
        state: 'healthy',
        detail: `https://${address}:10250/healthz answered 401`,
      });
    }
    expect(hole.dropsPackets()).toBe(true);
  });

  it('hides no other, were there two of them, and one that accepts and says nothing', async () => {
    const holes = [await blackHole('127.0.0.1'), await blackHole('127.0.0.1')];
    const mute = await serveRaw(() => {});
    const well = await serveHttps('kubelet', (_request, response) => response.end('ok'));
    const ports = [...holes.map(({ port }) => port), mute.port];
    const urls = [...ports.map((port) => `http://{ip}:${port}/healthz`), `https://{ip}:${well.port}/healthz`];
    expect((await proberOf(urls).check('127.0.0.1', never)).state).toBe('healthy');
    expect(holes.map((hole) => hole.dropsPackets())).toEqual([true, true]);
  });

  it('hides no other when it is the one that answered last time', async () => {
    const address = freshAddress();
    let mayAnswer = true;
    // The favourite must have answered once, so this one only stops answering; its queue cannot be filled while it accepts.
    const first = await serveRaw((socket) => mayAnswer && socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    const second = await serveHttps('kubelet', (_request, response) => response.end('ok'));
    const prober = proberOf([`http://{ip}:${first.port}/healthz`, `https://{ip}:${second.port}/healthz`], {
      headStartMs: 10,
    });
    expect(address).toMatch(/^127\./);
    await prober.check('127.0.0.1', never);
    mayAnswer = false;
    expect((await prober.check('127.0.0.1', never)).detail).toBe(
      `https://127.0.0.1:${second.port}/healthz answered 200`,
    );
  });

  it('makes a kubelet silent when there is no other, and not before the time is over', async () => {
    const hole = await blackHole('127.0.0.1');
    const prober = proberOf([`http://{ip}:${hole.port}/healthz`], { timeoutMs: 200 });
    expect(await prober.check('127.0.0.1', never)).toEqual({
      state: 'silent',
      detail: `no answer within 200ms: http://127.0.0.1:${hole.port}/healthz timed out`,
      timedOut: true,
    });
    expect(hole.dropsPackets()).toBe(true);
  });
});

describe('the daemon', () => {
  it('registers machines with kubelets of every era, without a word about where these answer', async () => {
    const lab = await labOfTest();
    const addresses: string[] = [];
    for (const [, ports] of ERAS) {
      const address = freshAddress();
      await serveKubelet(address, ports);
      addresses.push(address);
      lab.fleet.setMachine({ id: `${addresses.length}`.padStart(32, '0'), address, metadata: { role: 'kubernetes' } });
    }
    const firewalled = freshAddress();
    await blackHole(firewalled, 10_255);
    await serveKubelet(firewalled, TODAY);
    lab.fleet.setMachine({ id: 'f'.repeat(32), address: firewalled, metadata: { role: 'kubernetes' } });

    const { HEALTHZ_URL: _unset, ...settings } = settingsFor(lab);
    expect(await startProgram(settings, ['--once']).ended).toEqual(GOOD_END);
    expect(lab.kubernetes.nodes.map(({ metadata }) => metadata.name).sort()).toEqual([...addresses, firewalled].sort());
  });

  const file = (name: string) => fileURLToPath(new URL(`../certificates/${name}`, import.meta.url));

  /** The certificate `server` is for this address, too. */
  const KUBELET = '127.0.0.2';

  /** A lab with one machine, whose kubelet is well only to those with the token and a client certificate of its CA. */
  async function suspiciousKubelet() {
    const lab = await labOfTest();
    const ca = certificate('ca.pem');
    const kubelet = await serveHttps(
      'server',
      (request, response) => {
        response.statusCode = request.headers.authorization === 'Bearer kubelet-token' ? 200 : 500;
        response.end();
      },
      { ca, requestCert: true, rejectUnauthorized: true, host: KUBELET },
    );
    lab.fleet.setMachine({ id: '1'.repeat(32), address: KUBELET, metadata: { role: 'kubernetes' } });
    const tokenFile = join(await folderOfTest(), 'token');
    await writeFile(tokenFile, 'kubelet-token\n');
    const settings = { ...settingsFor(lab), HEALTHZ_URL: `https://{ip}:${kubelet.port}/healthz` };
    const credentials = {
      KUBELET_CA_FILE: file('ca.pem'),
      KUBELET_CERT_FILE: file('client.pem'),
      KUBELET_KEY_FILE: file('client.key'),
      KUBELET_TOKEN_FILE: tokenFile,
    };
    return { lab, kubelet, settings, credentials };
  }

  it('shows kubelets the token and the client certificate that are set', async () => {
    const { lab, settings, credentials } = await suspiciousKubelet();
    expect(await startProgram({ ...settings, ...credentials }, ['--once']).ended).toEqual(GOOD_END);
    expect(lab.kubernetes.node(KUBELET)).toBeDefined();
  });

  it.each<[string, readonly string[], Record<string, string>, RegExp]>([
    ['KUBELET_TOKEN_FILE is not set', ['KUBELET_TOKEN_FILE'], {}, /answered 500/],
    ['no client certificate is set', ['KUBELET_CERT_FILE', 'KUBELET_KEY_FILE'], {}, /failed the TLS handshake/],
    [
      'KUBELET_CA_FILE is another one',
      [],
      { KUBELET_CA_FILE: file('other-ca.pem') },
      /certificate is not signed by a CA in KUBELET_CA_FILE .*put its CA certificate in KUBE_REGISTER_KUBELET_CA_FILE, or unset /,
    ],
  ])('waits, and says why, where %s', async (_name, without, more, reason) => {
    const { lab, settings, credentials } = await suspiciousKubelet();
    const kept = Object.fromEntries(
      Object.entries({ ...credentials, ...more }).filter(([name]) => !without.includes(name)),
    );
    const program = startProgram({ ...settings, ...kept });
    await program.firstPass();
    expect((await program.status()).machines).toMatchObject([
      { verdict: 'waiting', reason: expect.stringMatching(reason) },
    ]);
    expect(lab.kubernetes.nodes).toEqual([]);
    expect(await program.stop()).toEqual(GOOD_END);
  });
});
