import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { envName, flagName, settingNames } from '../../src/settings/table.ts';
import { folderOfTest, GOOD_END, labOfTest, MAIN, settingsFor, startProgram } from '../integration/program.ts';
import { answerWith, hang } from '../lab/faults.ts';

const WORKER = { role: 'kubernetes' };

describe('what the command line asks for', () => {
  it('help settings names every setting, as a variable and as a flag', async () => {
    const program = startProgram({}, ['help', 'settings']);
    expect(await program.ended).toEqual(GOOD_END);
    const words = new Set(program.stdout.split(/[\s,]+/));
    const missing = settingNames.flatMap((name) => [envName(name), flagName(name)]).filter((name) => !words.has(name));
    expect(missing).toEqual([]);
  });

  it('--version is that of package.json', async () => {
    const program = startProgram({}, ['--version']);
    expect(await program.ended).toEqual(GOOD_END);
    expect(program.stdout).toBe(`kube-register ${manifest.version}\n`);
  });

  it.runIf(existsSync('/dev/full'))('what cannot be written is an error', async () => {
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const { status, stderr } = spawnSync(process.execPath, [MAIN, '--help'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([1, 'kube-register help: cannot write to the standard output (ENOSPC)\n']);
  });

  it('every mistake is one line, all of them together, and no secret is repeated', async () => {
    const mistaken = {
      METDATA: 'role=kubernetes',
      SYNC_INTERVAL: 'soon',
      FLEET_ENDPOINT: 'http://admin:hunter2@10.0.0.1',
    };
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0';
    const program = startProgram(mistaken, [token, '--api-endpiont=http://10.0.0.1:8080', '--frobnicate']);
    const { code, stderr } = await program.ended;
    expect(code).toBe(2);
    expect(program.stdout).toBe('');
    expect(stderr.trimEnd().split('\n')).toEqual([
      'KUBE_REGISTER_METDATA: unknown setting; did you mean KUBE_REGISTER_METADATA?',
      expect.stringMatching(/^\(not shown: it may hold a secret\): /),
      '--api-endpiont: unknown setting; did you mean --api-endpoint?',
      '--frobnicate: unknown setting; see kube-register help settings',
      expect.stringMatching(/^KUBE_REGISTER_FLEET_ENDPOINT=\(not shown.*\): must not contain a user name or password/),
      expect.stringMatching(/^KUBE_REGISTER_SYNC_INTERVAL="soon": /),
    ]);
    expect(stderr).not.toMatch(/hunter2|eyJ/);
  });

  it('the flags of the Go program mean what they meant', async () => {
    const lab = await labOfTest();
    const worker = await lab.addMachine({ metadata: WORKER });
    const other = await lab.addMachine({ metadata: { role: 'etcd' } });
    const program = startProgram({ LISTEN: '127.0.0.1:0' }, [
      `-api-endpoint=${lab.kubernetes.url}`,
      `-fleet-endpoint=${lab.fleet.endpoint}`,
      '-metadata=role=kubernetes',
      `-healthz-port=${lab.kubelets.port}`,
      '-sync-interval=1',
      '-reverse-lookup=false',
    ]);
    // A second pass comes by itself: the interval is one second.
    await program.reached('kube_register_passes_total', 2);
    expect(lab.kubernetes.node(worker.address)).toBeDefined();
    expect(lab.kubernetes.node(other.address)).toBeUndefined();
    expect(await program.stop()).toEqual(GOOD_END);
  });
});

describe('what keeps it from starting is one sentence on the log, and exit code 1', () => {
  const https = { FLEET_ENDPOINT: 'http://127.0.0.1:1', API_ENDPOINT: 'https://127.0.0.1:1' };
  const missing = '/nowhere/at/all';
  const situations = [
    [
      'a CA file that is not there',
      { ...https, API_CA_FILE: missing },
      `API_CA_FILE: ${missing}: the file does not exist`,
    ],
    [
      'a token file that is not there',
      { ...https, API_TOKEN_FILE: missing },
      `API_TOKEN_FILE: ${missing}: the file does not exist`,
    ],
  ] as const;

  it.each(situations)('%s', async (_, settings, sentence) => {
    const program = startProgram({ ...settings, LISTEN: 'off' });
    expect(await program.ended).toEqual({ ...GOOD_END, code: 1 });
    expect(program.log).toEqual([expect.objectContaining({ level: 'fatal', msg: expect.stringContaining(sentence) })]);
    expect(program.stdout).not.toMatch(/\bat .*\.[jt]s:\d/);
  });

  it('a certificate file that is no PEM, of which nothing is shown', async () => {
    const caFile = join(await folderOfTest(), 'ca.pem');
    await writeFile(caFile, 'c2VjcmV0IHN0dWZm\n');
    const program = startProgram({ ...https, API_CA_FILE: caFile, LISTEN: 'off' });
    expect(await program.ended).toEqual({ ...GOOD_END, code: 1 });
    expect(program.log.map(({ level, msg }) => [level, msg])).toEqual([
      ['fatal', `KUBE_REGISTER_API_CA_FILE: ${caFile}: it has no PEM certificate`],
    ]);
    expect(program.stdout).not.toContain('c2VjcmV0');
  });

  it('a port that another program has', async () => {
    const lab = await labOfTest();
    await lab.addMachine({ metadata: WORKER });
    const taken = new URL(lab.fleet.url).host;
    const program = startProgram({ ...settingsFor(lab), LISTEN: taken });
    expect(await program.ended).toEqual({ ...GOOD_END, code: 1 });
    expect(program.log).toEqual([
      expect.objectContaining({ event: 'settings' }),
      expect.objectContaining({
        level: 'fatal',
        msg: `cannot listen on ${taken}: another program has this port; set KUBE_REGISTER_LISTEN to another host:port or off`,
      }),
    ]);
    expect(lab.kubernetes.log.writes).toEqual([]);
  });
});

describe('--once', () => {
  it('registers nodes, never deregisters one, opens no port and ends well', async () => {
    const lab = await labOfTest();
    const workers = await lab.addMachines(3, WORKER);
    const mark = { 'kube-register.io/machine-id': 'f'.repeat(32) };
    lab.kubernetes.putNode({ name: 'long-dead', annotations: mark, addresses: ['127.1.255.1'], ready: 'unknown' });
    // Were it to listen, it would fail: this port is taken.
    const taken = new URL(lab.fleet.url).host;
    const settings = { ...settingsFor(lab), LISTEN: taken, MISSING_GRACE: '0', MAX_DEREGISTER_PERCENT: '100' };

    const program = startProgram(settings, ['--once']);
    expect(await program.ended).toEqual(GOOD_END);
    const names = lab.kubernetes.nodes.map(({ metadata }) => metadata.name);
    expect(names.sort()).toEqual([...workers.map(({ address }) => address), 'long-dead'].sort());
    expect(lab.kubernetes.log.of({ method: 'DELETE' })).toEqual([]);
    expect(program.lines(/^node long-dead: spared: .*KUBE_REGISTER_ONCE/)).toHaveLength(1);
    expect(program.lines(/runs one pass and does not listen/)).toHaveLength(1);
  });

  it('fails when fleet does not answer', async () => {
    const lab = await labOfTest();
    await lab.fleet.stop();
    const program = startProgram({ ...settingsFor(lab), ONCE: 'true' });
    expect(await program.ended).toEqual({ ...GOOD_END, code: 1 });
    expect(program.lines(/^fleet at .* the connection was refused/)).toHaveLength(1);
  });

  it('fails when one node cannot be registered, and registers the others', async () => {
    const lab = await labOfTest();
    await lab.addMachines(3, WORKER);
    lab.kubernetes.faults.add(answerWith(403, '{"reason":"Forbidden"}'), { method: 'POST', times: 1 });
    const program = startProgram(settingsFor(lab), ['--once']);
    expect(await program.ended).toEqual({ ...GOOD_END, code: 1 });
    expect(program.lines(/^could not register node /)).toHaveLength(1);
    expect(lab.kubernetes.nodes).toHaveLength(2);
  });

  it('can be stopped while fleet hangs', async () => {
    const lab = await labOfTest();
    lab.fleet.faults.add(hang);
    const asked = lab.fleet.log.arrival();
    const program = startProgram({ ...settingsFor(lab), FLEET_TIMEOUT: '10m', PASS_TIMEOUT: '1h' }, ['--once']);
    await asked;
    expect(await program.stop()).toEqual(GOOD_END);
  });
});

describe('--dry-run', () => {
  it('writes nothing, and says what it would do once, not in every pass', async () => {
    const lab = await labOfTest();
    const { address, id } = await lab.addMachine({ metadata: WORKER });
    const adopted = await lab.addMachine({ metadata: WORKER });
    lab.kubernetes.selfRegister('worker-2', adopted.id, [adopted.address]);
    const program = startProgram(settingsFor(lab), ['--dry-run']);
    await program.firstPass();
    for (let pass = 0; pass < 3; pass += 1) await program.pass();

    expect(program.lines(/dry run/).map(({ msg }) => msg)).toEqual([
      `dry run: would register node ${address} of machine ${id}`,
      `dry run: would adopt node worker-2 of machine ${adopted.id}`,
    ]);
    expect(lab.kubernetes.log.writes).toEqual([]);
    expect(await program.metric('kube_register_registrations_total')).toBe(0);
    expect(await program.stop()).toEqual(GOOD_END);
  });
});

describe('LOG_FORMAT=pretty', () => {
  it('is for people: no JSON, and no escape characters where no terminal is', async () => {
    const lab = await labOfTest();
    await lab.addMachine({ metadata: WORKER });
    const program = startProgram({ ...settingsFor(lab), LOG_FORMAT: 'pretty' }, ['--once']);
    expect(await program.ended).toEqual(GOOD_END);
    expect(program.stdout).toMatch(/INFO.*registered node/);
    expect(program.stdout).not.toMatch(/[^\P{Cc}\n]/u);
    expect(program.stdout).not.toMatch(/^\{/m);
  });
});

describe('LISTEN=[::1]:0', () => {
  it('listens on IPv6, and says where as the setting would', async () => {
    const program = startProgram({ ...settingsFor(await labOfTest()), LISTEN: '[::1]:0' });
    expect(await program.url()).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await program.get('/healthz')).status).toBe(200);
  });
});

describe('LISTEN=off', () => {
  it.runIf(process.platform === 'linux')('opens no port at all', async () => {
    const lab = await labOfTest();
    const { address } = await lab.addMachine({ metadata: WORKER });
    const [open, shut] = [startProgram(settingsFor(lab)), startProgram({ ...settingsFor(lab), LISTEN: 'off' })];
    await Promise.all([open.said(/^first pass/), shut.said(/^first pass/)]);
    expect(lab.kubernetes.node(address)).toBeDefined();
    expect(await open.listeningSockets()).toBe(1);
    expect(await shut.listeningSockets()).toBe(0);
    expect(await Promise.all([open.stop(), shut.stop()])).toEqual([GOOD_END, GOOD_END]);
  });
});
