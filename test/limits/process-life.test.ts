import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { certificate } from '../integration/loopback.ts';
import { folderOfTest, GOOD_END, labOfTest, type Program, settingsFor, startProgram } from '../integration/program.ts';
import { answerWith, hold, reset } from '../lab/faults.ts';
import type { Lab } from '../lab/lab.ts';

const WORKER = { role: 'kubernetes' };
const CERTIFICATES = fileURLToPath(new URL('../certificates/', import.meta.url));
const TLS = { key: certificate('server.key'), cert: certificate('server.pem') };

describe('a daemon on a cluster that is well', () => {
  it('registers at once and on SIGUSR2, shows itself on its pages, and takes no orders there', async () => {
    const lab = await labOfTest();
    const workers = await lab.addMachines(2, WORKER);
    const other = await lab.addMachine({ metadata: { role: 'etcd' } });
    const program = startProgram(settingsFor(lab));
    await program.firstPass();

    for (const { address, id } of workers) {
      expect(lab.kubernetes.node(address)?.metadata.annotations).toMatchObject({ 'kube-register.io/machine-id': id });
    }
    expect(await program.get('/healthz')).toEqual({ status: 200, body: 'ok\n' });
    expect(await program.get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
    expect(await program.metric('kube_register_registrations_total')).toBe(2);
    expect(await program.metric('kube_register_up{target="fleet"}')).toBe(1);

    await program.pass();
    const { machines, nodes, fleet, kubernetes } = await program.status();
    expect(machines.map(({ id, verdict }) => [id, verdict])).toEqual([
      ...workers.map(({ id }) => [id, 'has-node']),
      [other.id, 'not-selected'],
    ]);
    expect(nodes.map(({ machine, verdict }) => [machine, verdict])).toEqual(workers.map(({ id }) => [id, 'keep']));
    expect([fleet, kubernetes]).toEqual([
      { up: true, problem: null },
      { up: true, problem: null },
    ]);

    // The next pass is an hour away: this one is by SIGUSR2.
    const { address } = await lab.addMachine({ metadata: WORKER });
    await program.pass();
    expect(lab.kubernetes.node(address)).toBeDefined();

    const refused = { status: 405, body: 'only GET and HEAD\n' };
    for (const path of ['/metrics', '/healthz', '/readyz', '/status']) {
      expect(await program.get(path, { method: 'POST' })).toEqual(refused);
    }
    expect(await program.stop()).toEqual(GOOD_END);
  });

  it('passes once more after the pass that was running when SIGUSR2 came', async () => {
    const lab = await labOfTest();
    const { fault, release } = hold();
    lab.fleet.faults.add(fault, { times: 1 });
    const asked = lab.fleet.log.arrival();
    const program = startProgram(settingsFor(lab));
    await Promise.all([program.url(), asked]);
    program.signal('SIGUSR2');
    program.signal('SIGUSR2');
    // A request that was sent after the signals is answered after them.
    expect((await program.status()).pass.running).toBe(true);
    release();
    await program.reached('kube_register_passes_total', 2);
    expect((await program.status()).pass.running).toBe(false);
    expect(await program.metric('kube_register_passes_total')).toBe(2);
  });

  it('warns when no machine matches, and says which metadata there is', async () => {
    const lab = await labOfTest();
    await lab.addMachines(2, { role: 'etcd', disk: 'ssd' });
    await lab.addMachine({ metadata: { role: 'kubernets' } });
    const program = startProgram(settingsFor(lab));
    const { level, msg } = await program.said(/^no machine matches "role=kubernetes"; the machines have: /);
    expect(level).toBe('warn');
    for (const pair of ['"role=etcd" (2)', '"disk=ssd" (2)', '"role=kubernets" (1)']) expect(msg).toContain(pair);
    await program.pass();
    expect(program.lines(/no machine matches/)).toHaveLength(1);
  });

  it('goes on when nobody reads its log any more', async () => {
    const lab = await labOfTest();
    const program = startProgram(settingsFor(lab));
    await program.firstPass();
    program.closeLog();
    const machines = await lab.addMachines(5, WORKER);
    await program.pass();
    expect(lab.kubernetes.nodes).toHaveLength(machines.length);
    expect((await program.get('/healthz')).status).toBe(200);
    expect(await program.stop()).toEqual(GOOD_END);
  });
});

describe('the schedule', () => {
  it('makes passes happen, and counts those that come due while one is running', async () => {
    const lab = await labOfTest();
    const { SYNC_INTERVAL, ...settings } = settingsFor(lab);
    const program = startProgram({ ...settings, SYNC_SCHEDULE: '* * * * * *' });
    await program.firstPass();
    const [passes, skipped] = ['kube_register_passes_total', 'kube_register_passes_skipped_total'];

    const { fault, release } = hold();
    const held = lab.fleet.log.arrival();
    lab.fleet.faults.add(fault, { times: 1 });
    await held;
    // Some may have been skipped already, on a machine that is busy.
    const [asked, ended, before] = [lab.fleet.log.total, await program.metric(passes), await program.metric(skipped)];
    await program.reached(skipped, before + 2);
    expect(lab.fleet.log.total).toBe(asked);
    release();
    await program.reached(passes, ended + 2);
  });
});

describe('a server that does not answer', () => {
  it('fleet, from the start: the daemon stays, says so once, and works as soon as fleet is there', async () => {
    const lab = await labOfTest({ fleet: { socket: join(await folderOfTest(), 'fleet.sock') } });
    const { address } = await lab.addMachine({ metadata: WORKER });
    await lab.fleet.stop();
    const program = startProgram(settingsFor(lab));
    await program.firstPass();
    await program.pass();
    await program.pass();

    const said = program.lines(/fleet at unix:.*there is no socket at .*nothing is changed until this succeeds/);
    expect(said.map(({ level }) => level)).toEqual(['error']);
    expect(program.log.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(await program.get('/readyz')).toEqual({ status: 503, body: 'no pass has succeeded yet\n' });
    expect((await program.get('/healthz')).status).toBe(200);
    expect((await program.status()).fleet).toMatchObject({ up: false, problem: said[0]?.msg.split(';')[0] });
    expect(await program.metric('kube_register_pass_failures_total{cause="fleet"}')).toBeGreaterThanOrEqual(3);

    await lab.fleet.start();
    await program.pass();
    expect(lab.kubernetes.node(address)).toBeDefined();
    expect(program.lines(/^requests to fleet succeed again after \d+(\.\d+)?m?s/)).toHaveLength(1);
    expect((await program.get('/readyz')).status).toBe(200);
    expect(await program.stop()).toEqual(GOOD_END);
  });

  it('Kubernetes, from the start, and fleet too', async () => {
    const lab = await labOfTest();
    const { address } = await lab.addMachine({ metadata: WORKER });
    await Promise.all([lab.kubernetes.stop(), lab.fleet.stop()]);
    const program = startProgram(settingsFor(lab));
    await program.firstPass();
    await program.pass();
    expect(program.log.filter(({ level }) => level === 'error').map(({ msg }) => msg.split(' ')[0])).toEqual([
      'fleet',
      'kubernetes',
    ]);

    await Promise.all([lab.kubernetes.start(), lab.fleet.start()]);
    await program.pass();
    expect(lab.kubernetes.node(address)).toBeDefined();
    expect(program.lines(/^requests to (fleet|the API server) succeed again after /)).toHaveLength(2);
  });

  it('Kubernetes, from the start: it is asked again within seconds, though the next pass is an hour away', async () => {
    const lab = await labOfTest();
    const { address } = await lab.addMachine({ metadata: WORKER });
    await lab.kubernetes.stop();
    const program = startProgram(settingsFor(lab));
    await program.said(/connection was refused.*; nothing is changed until this succeeds; retried in 1s$/);
    const { pass } = await program.status();
    expect(Date.parse(pass.next ?? '')).toBeLessThan(Date.now() + 10_000);
    await program.reached('kube_register_pass_failures_total{cause="kubernetes"}', 2);
    await lab.kubernetes.start();
    await program.said(new RegExp(`^registered node ${address} `));
    // The schedule goes on where it was.
    expect(Date.parse((await program.status()).pass.next ?? '')).toBeGreaterThan(Date.now() + 3_000_000);
    expect(await program.stop()).toEqual(GOOD_END);
  });

  it('comes and goes: every outage is said at its start and at its end, and nothing is lost', async () => {
    const lab = await labOfTest();
    await lab.addMachines(2, WORKER);
    const program = startProgram(settingsFor(lab));
    await program.firstPass();
    for (let outage = 1; outage <= 2; outage += 1) {
      lab.fleet.etcd = 'no heart beat';
      await program.pass();
      lab.fleet.etcd = 'healthy';
      await program.pass();
      expect(program.lines(/fleet cannot write its heartbeat to etcd/)).toHaveLength(outage);
      expect(program.lines(/^requests to fleet succeed again after /)).toHaveLength(outage);
    }
    expect(lab.kubernetes.nodes).toHaveLength(2);
    const ofNodes = lab.kubernetes.log.writes.filter(({ path }) => path.includes('/nodes'));
    expect(ofNodes.map(({ method }) => method)).toEqual(['POST', 'POST']);
  });
});

describe('every line of the log', () => {
  it('but those for debugging tells of an event of the list, at its level', async () => {
    const lab = await labOfTest();
    await lab.addMachine({ metadata: WORKER });
    const program = startProgram({ ...settingsFor(lab), LOG_LEVEL: 'trace', MISSING_GRACE: '1m' });
    await program.firstPass();
    lab.fleet.etcd = 'no heart beat';
    await program.pass();
    await program.pass();
    lab.fleet.etcd = 'healthy';
    await program.pass();
    expect(await program.stop()).toEqual(GOOD_END);
    // To read the log is to compare it with the list.
    expect(program.log.filter(({ level }) => level !== 'debug').map(({ event }) => event)).toEqual([
      'setting-regretted',
      'settings',
      'started',
      'api-server',
      'first-pass',
      'registered',
      'pass-summary',
      'fleet-unreachable',
      'fleet-reachable-again',
      'stopping',
      'stopped',
    ]);
  });

  it('is without its event for people', async () => {
    const lab = await labOfTest();
    const program = startProgram({ ...settingsFor(lab), LOG_FORMAT: 'pretty' }, ['--once']);
    expect(await program.ended).toEqual(GOOD_END);
    expect(program.stdout).toMatch(/INFO: first pass: /);
    expect(program.stdout).not.toMatch(/event|first-pass/);
  });
});

describe('the token', () => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.c2VjcmV0LXRva2Vu-0123456789';

  /** A program that has the token and logs all that it can. */
  async function programWithToken(lab: Lab, more: Record<string, string> = {}): Promise<Program> {
    const tokenFile = join(await folderOfTest(), 'token');
    await writeFile(tokenFile, `${token}\n`);
    const program = startProgram({ ...settingsFor(lab), ...more, LOG_LEVEL: 'trace', API_TOKEN_FILE: tokenFile });
    await program.firstPass();
    return program;
  }

  async function expectSecret(program: Program): Promise<void> {
    const pages = await Promise.all(['/metrics', '/status', '/readyz'].map((path) => program.get(path)));
    const { stderr, code } = await program.stop();
    expect(code).toBe(0);
    for (const said of [program.stdout, stderr, ...pages.map(({ body }) => body)]) expect(said).not.toContain(token);
  }

  it('is sent, and shown nowhere, however the API server fails', async () => {
    const lab = await labOfTest();
    await lab.addMachine({ metadata: WORKER });
    const program = await programWithToken(lab);
    const sent = lab.kubernetes.log.writes.map(({ headers }) => headers.authorization);
    expect([...new Set(sent)]).toEqual([`Bearer ${token}`]);

    for (const fault of [answerWith(401), answerWith(403), answerWith(500), reset]) {
      lab.kubernetes.faults.add(fault);
      await program.pass();
      expect((await program.status()).kubernetes.up).toBe(false);
      expect((await program.get('/status')).body).not.toContain(token);
      lab.kubernetes.faults.clear();
    }
    lab.kubernetes.faults.add(answerWith(403), { method: 'POST' });
    await lab.addMachine({ metadata: WORKER });
    await program.pass();
    expect(program.lines(/^could not register node /)).toHaveLength(1);
    await expectSecret(program);
  });

  it('whose file goes bad stays in use, which is said once, and so is the end of it', async () => {
    const lab = await labOfTest();
    const tokenFile = join(await folderOfTest(), 'token');
    await writeFile(tokenFile, token);
    const program = startProgram({ ...settingsFor(lab), API_TOKEN_FILE: tokenFile });
    await program.firstPass();
    await writeFile(tokenFile, `half of ${token}`);
    await program.pass();
    await program.pass();
    await writeFile(tokenFile, 'renewed');
    await program.pass();
    const file = `KUBE_REGISTER_API_TOKEN_FILE: ${tokenFile}`;
    expect(program.lines(/REGISTER_API_TOKEN_FILE/)).toEqual([
      expect.objectContaining({
        event: 'credential-file-unreadable',
        msg: `${file}: a token must be one word of visible ASCII characters; the last token that was read stays in use`,
      }),
      expect.objectContaining({ event: 'credential-file-readable-again', lastedMs: expect.any(Number) }),
    ]);
    const sent = lab.kubernetes.log.entries.map(({ headers }) => headers.authorization);
    expect([...new Set(sent)]).toEqual([`Bearer ${token}`, 'Bearer renewed']);
    await expectSecret(program);
  });

  it('is shown nowhere when the certificate is of another CA: the log names the setting, and the daemon stays', async () => {
    const lab = await labOfTest({ kubernetes: { tls: TLS } });
    const program = await programWithToken(lab, { API_CA_FILE: join(CERTIFICATES, 'other-ca.pem') });
    await program.pass();
    const errors = program.log.filter(({ level }) => level === 'error');
    expect(errors.map(({ msg }) => msg)).toEqual([
      expect.stringMatching(/^kubernetes at https:.*the server's certificate .* KUBE_REGISTER_API_CA_FILE/),
    ]);
    expect((await program.get('/healthz')).status).toBe(200);
    await expectSecret(program);
  });

  it.each([`Authorization: Bearer ${token}`, `the token ${token} has expired`])(
    'is shown nowhere when the server says it back, as in "%s"',
    async (message) => {
      const lab = await labOfTest();
      lab.kubernetes.faults.add(answerWith(401, JSON.stringify({ reason: 'Unauthorized', message })));
      const program = await programWithToken(lab);
      expect(program.lines(/^kubernetes at .*401 Unauthorized/).length).toBeGreaterThan(0);
      await expectSecret(program);
    },
  );
});
