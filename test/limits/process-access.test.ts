/** The ways by which the real program reaches fleet and the API server: sockets, TLS and credentials. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createFleetClient } from '../../src/fleet/client.ts';
import { clientOf } from '../integration/client.ts';
import { certificate } from '../integration/loopback.ts';
import { folderOfTest, GOOD_END, labOfTest, settingsFor, startProgram } from '../integration/program.ts';

const WORKER = { role: 'kubernetes' };
const file = (name: string) => fileURLToPath(new URL(`../certificates/${name}`, import.meta.url));
/** Of a server that speaks only with those who show a certificate of our CA. */
const MUTUAL_TLS = {
  key: certificate('server.key'),
  cert: certificate('server.pem'),
  ca: certificate('ca.pem'),
  requestCert: true,
};

describe("fleet's socket", () => {
  it('may be stopped, taken away and made anew at the same path while the program runs', async () => {
    const lab = await labOfTest({ fleet: { socket: join(await folderOfTest(), 'fleet.sock') } });
    const first = await lab.addMachine({ metadata: WORKER });
    const program = startProgram(settingsFor(lab));
    await program.firstPass();
    const absences = [
      [{ keepFile: true }, /nothing listens on the socket .*: start it with `systemctl start fleet.socket`/],
      [{}, /there is no socket at .*: is fleet running on this machine/],
    ] as const;
    for (const [how, sentence] of absences) {
      await lab.fleet.stop(how);
      await program.pass();
      expect(program.lines(sentence)).toHaveLength(1);
      await lab.fleet.start();
      await program.pass();
    }
    expect(program.lines(/^requests to fleet succeed again after /)).toHaveLength(2);
    const second = await lab.addMachine({ metadata: WORKER });
    await program.pass();
    expect(lab.kubernetes.nodes.map(({ metadata }) => metadata.name)).toEqual([first.address, second.address]);
    expect(await program.stop()).toEqual(GOOD_END);
  });

  it.runIf(process.getuid?.() === 0)('that only its owner may open says so to others', async () => {
    const folder = await folderOfTest();
    const socket = join(folder, 'fleet.sock');
    const lab = await labOfTest({ fleet: { socket } });
    await Promise.all([chmod(folder, 0o755), chmod(socket, 0o600)]);
    const { machinePages } = createFleetClient({ http: clientOf('fleet', lab.fleet.endpoint) });
    const pages = machinePages(new AbortController().signal)[Symbol.asyncIterator]();
    process.seteuid?.(65_534);
    try {
      await expect(pages.next()).rejects.toThrow(
        `this user may not open the socket ${socket}: run as root or as a member of the group that owns it`,
      );
    } finally {
      process.seteuid?.(0);
    }
  });
});

describe('client certificates', () => {
  it('open both servers', async () => {
    const lab = await labOfTest({ fleet: { tls: MUTUAL_TLS }, kubernetes: { tls: MUTUAL_TLS } });
    const { address } = await lab.addMachine({ metadata: WORKER });
    const files = (server: string) => ({
      [`${server}_CA_FILE`]: file('ca.pem'),
      [`${server}_CERT_FILE`]: file('client.pem'),
      [`${server}_KEY_FILE`]: file('client.key'),
    });
    const settings = { ...settingsFor(lab), ...files('FLEET'), ...files('API') };
    expect(await startProgram(settings, ['--once']).ended).toEqual(GOOD_END);
    expect(lab.kubernetes.node(address)).toBeDefined();
  });

  it.each(['FLEET', 'API'])('that are not there are asked for by name: %s', async (server) => {
    const tls = server === 'FLEET' ? { fleet: { tls: MUTUAL_TLS } } : { kubernetes: { tls: MUTUAL_TLS } };
    const lab = await labOfTest(tls);
    const program = startProgram({ ...settingsFor(lab), [`${server}_CA_FILE`]: file('ca.pem') }, ['--once']);
    expect(await program.ended).toEqual({ ...GOOD_END, code: 1 });
    expect(program.lines(new RegExp(`requires a client certificate .*KUBE_REGISTER_${server}_CERT_FILE`))).toHaveLength(
      1,
    );
    expect(lab.kubernetes.log.writes).toEqual([]);
  });
});

describe('a kubeconfig', () => {
  it('that has the certificate unchecked is warned of', async () => {
    const lab = await labOfTest({ kubernetes: { tls: { key: MUTUAL_TLS.key, cert: MUTUAL_TLS.cert } } });
    const path = join(await folderOfTest(), 'config');
    const cluster = { server: lab.kubernetes.url, 'insecure-skip-tls-verify': true };
    const contexts = [{ name: 'lab', context: { cluster: 'lab' } }];
    await writeFile(path, JSON.stringify({ 'current-context': 'lab', contexts, clusters: [{ name: 'lab', cluster }] }));
    const { API_ENDPOINT: _, ...settings } = settingsFor(lab);
    const program = startProgram({ ...settings, KUBECONFIG: path }, ['--once']);
    expect(await program.ended).toEqual(GOOD_END);
    expect(program.lines(/^KUBE_REGISTER_KUBECONFIG: insecure-skip-tls-verify: .* not verified/)).toHaveLength(1);
  });

  it('is enough to reach the API server', async () => {
    const lab = await labOfTest({ kubernetes: { tls: MUTUAL_TLS } });
    const { address } = await lab.addMachine({ metadata: WORKER });
    const path = join(await folderOfTest(), 'config');
    const base64 = (name: string) => Buffer.from(certificate(name)).toString('base64');
    await writeFile(
      path,
      JSON.stringify({
        'current-context': 'lab',
        contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'operator' } }],
        clusters: [
          { name: 'lab', cluster: { server: lab.kubernetes.url, 'certificate-authority-data': base64('ca.pem') } },
        ],
        users: [
          {
            name: 'operator',
            user: { 'client-certificate-data': base64('client.pem'), 'client-key': file('client.key') },
          },
        ],
      }),
    );
    const { API_ENDPOINT: _, ...settings } = settingsFor(lab);
    expect(await startProgram({ ...settings, KUBECONFIG: path }, ['--once']).ended).toEqual(GOOD_END);
    expect(lab.kubernetes.node(address)).toBeDefined();
  });
});
