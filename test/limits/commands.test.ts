/** What the commands of the real program print, on a lab and beside a daemon that runs on it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { statusDocument } from '../../src/status/document.ts';
import { labOfTest, type Program, settingsFor, startProgram } from '../integration/program.ts';
import { answerWith, hang } from '../lab/faults.ts';
import type { Lab } from '../lab/lab.ts';

const WORKER = { role: 'kubernetes' };
const PLAN = z.object({
  steps: z.array(z.object({ kind: z.string(), node: z.string(), labels: z.record(z.string(), z.string().nullable()) })),
  watched: z.array(z.object({ node: z.string(), verdict: z.string() })),
});

/** Runs a command to its end. Without a daemon it has to look by itself. */
async function command(lab: Lab, flags: readonly string[], more: Record<string, string> = {}) {
  const program = startProgram({ ...settingsFor(lab), LISTEN: 'off', ...more }, flags);
  const { code, stderr } = await program.ended;
  return { code, stderr, stdout: program.stdout };
}

/** A lab with two workers and a machine that is none, and a daemon that has registered the workers. */
async function clusterOfTest(more: Record<string, string> = {}): Promise<{ lab: Lab; daemon: Program; at: string }> {
  const lab = await labOfTest();
  await lab.addMachines(2, WORKER);
  await lab.addMachine({ metadata: { role: 'etcd' } });
  const daemon = startProgram({ ...settingsFor(lab), ...more });
  await daemon.firstPass();
  await daemon.pass();
  return { lab, daemon, at: await daemon.url() };
}

/** Prints each status of the daemon at this URL on a line, until it is stopped. */
function watching(lab: Lab, at: string): Program {
  return startProgram({ ...settingsFor(lab), LISTEN: 'off' }, ['status', '-w', '-o', 'json', '--daemon', at]);
}

/** A server that gives everybody this answer. */
async function serverOfTest(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
  });
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('kube-register plan', () => {
  it('prints what would be done and writes nothing; its exit code says that there is something', async () => {
    const lab = await labOfTest();
    const { id, address } = await lab.addMachine({ metadata: { ...WORKER, rack: 'r1' } });
    const { code, stdout, stderr } = await command(lab, ['plan'], { NODE_LABELS: 'rack' });
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    expect(stdout).toContain(
      `+ register node ${address} of machine ${id}: its kubelet is healthy and it has no node; node name: ${address}\n`,
    );
    expect(stdout).toContain('    + label rack=r1\n');
    expect(stdout).toContain(`    + annotation kube-register.io/machine-id=${id}\n`);
    expect(stdout).toContain('0 to deregister, 1 to register, 0 to adopt, 0 to update. This command changed nothing.');
    expect(lab.kubernetes.log.writes).toEqual([]);
  });

  it('finds nothing to do once a daemon has done it, and tells of the dead what would come of them', async () => {
    const { lab } = await clusterOfTest();
    expect(await command(lab, ['plan'])).toEqual({ code: 0, stderr: '', stdout: 'Nothing to do.\n' });
    const [worker] = lab.kubernetes.nodes;
    const name = worker?.metadata.name ?? '';
    await lab.kubelets.at(name)?.stop();
    const { code, stdout } = await command(lab, ['plan']);
    expect(code).toBe(0);
    expect(stdout).toContain(`! node ${name}: unheard: not alive; kubelet unreachable; `);
    expect(stdout).toContain('plan observes once. A running daemon knows how much of a grace period is over');
  });

  it('is JSON for programs', async () => {
    const lab = await labOfTest();
    const { address } = await lab.addMachine({ metadata: WORKER });
    lab.kubernetes.putNode({ name: 'core-1', addresses: [address], ready: true });
    const { code, stdout } = await command(lab, ['plan', '-o', 'json']);
    expect(code).toBe(3);
    expect(PLAN.parse(JSON.parse(stdout))).toEqual({
      steps: [{ kind: 'adopt', node: 'core-1', labels: { 'kube-register.io/managed': 'true' } }],
      watched: [],
    });
    expect(lab.kubernetes.log.writes).toEqual([]);
  });

  it('shows machines and nodes whose verdict is a warning', async () => {
    const lab = await labOfTest();
    const { id } = await lab.addMachine({ metadata: WORKER });
    lab.kubernetes.putNode({ name: 'core-1', machineId: id, ready: 'unknown' });
    const { code, stdout } = await command(lab, ['plan']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^! node core-1: foreign: unmanaged and not reporting: .*kubectl delete node core-1$/m);
    expect(stdout).toMatch(
      new RegExp(
        `^! machine ${id}: waiting: node core-1 reports machine ID ${id}, so it may be the node of this machine`,
        'm',
      ),
    );
  });

  it('says what does not answer, a line each, and has no plan then', async () => {
    const lab = await labOfTest();
    lab.fleet.etcd = 'unreachable';
    const endpoint = 'http://127.0.0.1:1';
    const { code, stdout, stderr } = await command(lab, ['plan'], { API_ENDPOINT: endpoint });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^kube-register plan: fleet at .*is etcd healthy\?$/),
      expect.stringMatching(/^kube-register plan: kubernetes at http:\/\/127\.0\.0\.1:1: .*refused/),
    ]);
  });
});

describe('kube-register status', () => {
  it('looks by itself where no daemon listens, and says so', async () => {
    const lab = await labOfTest();
    const { address } = await lab.addMachine({ metadata: WORKER });
    const { code, stdout, stderr } = await command(lab, ['status']);
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(stdout).toMatch(/^No daemon was asked: KUBE_REGISTER_LISTEN has no fixed port, so it is not known whether/);
    expect(stdout).toMatch(/^All is well: 1 machine matches, 0 nodes are kept, 1 would be registered\.$/m);
    expect(stdout).toMatch(
      /^find it {5}fleetctl list-units shows its machine; then: ssh MACHINE kube-register status$/m,
    );
    expect(stdout).toMatch(
      new RegExp(
        `^${address} +0{31}1 +${address} +role=kubernetes +healthy +register +- +would be registered by a daemon$`,
        'm',
      ),
    );
    expect(lab.kubernetes.log.writes).toEqual([]);
  });

  it('says first that no daemon answers, and tells no time of a deletion', async () => {
    const lab = await labOfTest();
    const annotations = { 'kube-register.io/machine-id': 'f00' };
    lab.kubernetes.putNode({ name: 'here', annotations: { 'kube-register.io/machine-id': 'f01' }, ready: true });
    lab.kubernetes.putNode({ name: 'gone', annotations, addresses: ['127.3.3.3'], ready: 'unknown' });
    const { code, stdout } = await command(lab, ['status'], { LISTEN: '127.0.0.1:1' });
    expect(code).toBe(4);
    expect(stdout).toMatch(
      /^No daemon answers at http:\/\/127\.0\.0\.1:1: unless one runs on another machine, no node is registered or deregistered\. /,
    );
    expect(stdout).toMatch(/^gone .* would be deregistered by a daemon after 15m of watched time \(MISSING_GRACE\)$/m);
    const explained = (await command(lab, ['explain', 'gone'], { LISTEN: '127.0.0.1:1' })).stdout;
    expect(explained).toMatch(/^No daemon answers at /);
    expect(explained).not.toMatch(/will be deregistered|for 0s of/);
  });

  it('says that no daemon answers here before what fleet and Kubernetes say, when they do not answer either', async () => {
    const lab = await labOfTest();
    lab.kubernetes.faults.add(answerWith(500));
    const { code, stderr } = await command(lab, ['status'], { LISTEN: '127.0.0.1:1' });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^kube-register status: No daemon answers at http:\/\/127\.0\.0\.1:1: .*; observing from here failed too\nkube-register status: kubernetes at .* 500/,
    );
  });

  it('does not send to another machine when the daemon here asks everyone for a login', async () => {
    const at = await serverOfTest(401, 'Log in.');
    const { code, stderr } = await command(await labOfTest(), ['status', '--daemon', at]);
    expect(code).toBe(1);
    expect(stderr).toContain(`log in on the page, http://${at}/, or with curl -u USER http://${at}/status`);
    expect(stderr).not.toContain('ssh');
  });

  it('shows the rows that its flags ask for, as names for xargs and as YAML', async () => {
    const { lab, at } = await clusterOfTest();
    const names = lab.kubernetes.nodes.map(({ metadata }) => metadata.name);
    const flags = ['status', '--daemon', at, '-l', 'role=kubernetes', '--verdict', 'keep'];
    expect((await command(lab, [...flags, '-o', 'name'])).stdout).toBe(`${names.join('\n')}\n`);
    const { stdout } = await command(lab, [...flags, '-o', 'yaml', `${names[1]}`]);
    expect(parseYaml(stdout)).toMatchObject({
      source: 'daemon',
      machines: [{ node: names[1] }],
      nodes: [{ name: names[1] }],
    });
  });

  it('asks the daemon that LISTEN names, which knows more', async () => {
    const { lab, at } = await clusterOfTest();
    const { code, stdout } = await command(lab, ['status'], { LISTEN: at.replace('http://', '') });
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^daemon +\\S+ at ${at}, running for `, 'm'));
    expect(stdout).toContain('last pass took ');
    expect(stdout).toMatch(/^127\.\S+ +0{31}1 +127\.\S+ +role=kubernetes +healthy +keep +\S+ +-$/m);
    expect(stdout).toMatch(/^127\.\S+ +0{31}3 +127\.\S+ +role=etcd +- +not-selected /m);
  });

  it('asks the daemon that it is told of, whoever is here', async () => {
    const { lab, at } = await clusterOfTest();
    const { code, stdout } = await command(lab, ['status', '--daemon', at, '-o', 'json']);
    expect(code).toBe(0);
    expect(statusDocument.parse(JSON.parse(stdout)).nodes.map(({ origin }) => origin)).toEqual([
      'registered',
      'registered',
    ]);
  });

  it.each([
    ['nobody', async () => '127.0.0.1:1', /GET http:\/\/127\.0\.0\.1:1\/status: the connection was refused/],
    ['something else', () => serverOfTest(404, ''), /answered 404: is this kube-register\?/],
    ['a page', () => serverOfTest(200, '<html>'), /the response is not JSON: is this kube-register\?/],
    [
      'other JSON',
      () => serverOfTest(200, '{}'),
      /this is not the status of kube-register .*: another program or version/,
    ],
  ])('says so when %s answers there, and does not look by itself', async (_, start, sentence) => {
    const lab = await labOfTest();
    const { code, stdout, stderr } = await command(lab, ['status', '--daemon', await start()]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(lab.fleet.log.total).toBe(0);
  });

  it('with --watch prints again after each pass, until a signal ends it', async () => {
    const { lab, daemon, at } = await clusterOfTest();
    const watcher = watching(lab, at);
    const passes = () =>
      watcher.stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => statusDocument.parse(JSON.parse(line)).pass.number);
    await expect.poll(passes, { timeout: 15_000 }).toContain(2);
    await daemon.pass();
    await expect.poll(passes, { timeout: 15_000 }).toContain(3);
    expect(await watcher.stop()).toMatchObject({ code: 0, stderr: '' });
    expect(new Set(passes()).size).toBe(passes().length);
  });

  it('goes on watching when the daemon goes, and says so once', async () => {
    const { lab, daemon, at } = await clusterOfTest();
    const place = { ...settingsFor(lab), LISTEN: at.replace('http://', '') };
    const watcher = startProgram(place, ['status', '-w', '-o', 'json']);
    const started = () =>
      new Set([...watcher.stdout.matchAll(/"dryRun":false,"startedAt":"([^"]+)"/g)].map(([, time]) => time)).size;
    await expect.poll(started, { timeout: 15_000 }).toBe(1);
    await daemon.stop();
    const next = startProgram(place);
    await next.firstPass();
    await expect.poll(started, { timeout: 15_000 }).toBe(2);
    const { code, stderr } = await watcher.stop();
    expect(code).toBe(0);
    expect(stderr.split('\n').length).toBeLessThanOrEqual(2);
  });

  it('ends without a word when its reader has seen enough', async () => {
    const { lab, daemon, at } = await clusterOfTest();
    const watcher = watching(lab, at);
    await expect.poll(() => watcher.stdout, { timeout: 15_000 }).toContain('"version"');
    watcher.closeLog();
    await daemon.pass();
    expect(await watcher.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('tells what is wrong with fleet from a daemon that cannot reach it', async () => {
    const { lab, daemon, at } = await clusterOfTest();
    lab.fleet.etcd = 'unreachable';
    await daemon.pass();
    const { code, stdout } = await command(lab, ['status', '--daemon', at]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pass +last pass failed, last success /m);
    expect(stdout).toMatch(/^fleet +failing, for .*is etcd healthy\?/m);
    expect(stdout).toMatch(/^Kubernetes +http:\/\/127\.0\.0\.1:\d+ reachable, for/m);
  });

  it('keeps hostile text on its line and without power over a terminal', async () => {
    const lab = await labOfTest();
    await lab.addMachine({ metadata: { ...WORKER, note: 'a\u001b[31m\nNODE  \u202Eb' } });
    const { stdout } = await command(lab, ['status']);
    expect(stdout).toContain('note=a [31m NODE b');
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    for (const name of ['status', 'plan']) {
      const json = (await command(lab, [name, '-o', 'json'])).stdout;
      expect(json.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  it('shows what is wrong beside the verdicts', async () => {
    const lab = await labOfTest();
    await lab.addMachine({ metadata: WORKER });
    const { stdout } = await command(lab, ['status'], { NODE_LABELS: 'none' });
    expect(stdout).toMatch(
      /^warning {5}KUBE_REGISTER_NODE_LABELS: no machine has metadata "none"; no label is removed/m,
    );
  });
});

describe('kube-register explain', () => {
  it('tells the evidence, the annotations of the node, the rule and what was done', async () => {
    const { lab, daemon, at } = await clusterOfTest();
    const [worker] = lab.kubernetes.nodes;
    const name = worker?.metadata.name ?? '';
    await lab.kubelets.at(name)?.stop();
    await daemon.pass();
    const { code, stdout } = await command(lab, ['explain', name, '--daemon', at]);
    expect(code).toBe(0);
    for (const fact of [
      /^machine 0{31}\d, node 127/m,
      /^ {2}node +in-grace, for .*: not alive for 0s of 30m, seen in 1 pass; kubelet unreachable/m,
      /^ {15}will be deregistered in \S+ \(20\S+Z\)$/m,
      /^ {2}kubectl describe node 127\.\S+$/m,
      /^ {2}curl -sSk -m 5 http:\/\/127\.\S+\/healthz$/m,
      /^ {2}ssh core@127\.\S+ sudo systemctl restart kubelet$/m,
      /^ {2}kubectl annotate node 127\.\S+ kube-register\.io\/keep=true$/m,
      /^ {2}kubectl delete node 127\.\S+$/m,
      /^ {2}fleet +lists it at 127\.\S+, with role=kubernetes; that matches METADATA=role=kubernetes/m,
      /^ {2}kubelet +unreachable, for .*refused the connection/m,
      /^ {2}Kubernetes +the node has no Ready condition; reports 127\.\S+$/m,
      /^ {2}alive +no$/m,
      /^ {2}answered +at 127\.\S+, since 20\S+Z \(\S+ ago\)$/m,
      /^ {2}managed +for machine 0{31}\d, since 20.*, registered by this daemon/m,
      /^ {2}name +named by kube-register$/m,
      /^ {2}means +Not alive; its grace period is running/m,
      /^ {2}deregisters +.*whose machine matches \(unhealthy\): after 30m of watched time \(UNHEALTHY_GRACE\), if its kubelet/m,
      /^ {15}\S+ ago: register, done: the kubelet at /m,
    ]) {
      expect(stdout).toMatch(fact);
    }
  });

  it.each([
    ['the id of its machine', '00000000000000000000000000000003'],
    ['its id as fleetctl shortens it', '0000000000000000000000000000000...'],
  ])('finds a machine by %s', async (_, subject) => {
    const lab = await labOfTest();
    for (const role of ['a', 'b', 'etcd']) await lab.addMachine({ metadata: { role } });
    const { code, stdout } = await command(lab, ['explain', subject]);
    expect(code).toBe(4);
    expect(stdout).toContain('machine 00000000000000000000000000000003');
    expect(stdout).toMatch(/not-selected: its metadata does not match the selector/);
    expect(stdout).toContain('that does not match METADATA=role=kubernetes');
  });

  it('finds a machine by its address, also as JSON', async () => {
    const lab = await labOfTest();
    const { id, address } = await lab.addMachine({ metadata: WORKER });
    const { code, stdout } = await command(lab, ['explain', address, '-o', 'json']);
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject([
      { source: 'observation', machine: { id, verdict: 'register' }, node: null, commands: expect.anything() },
    ]);
  });

  it('tells of a machine that no longer matches beside its node, and of a second node whose the first is', async () => {
    const { lab, daemon, at } = await clusterOfTest();
    const [one, two] = lab.kubernetes.nodes;
    if (one === undefined || two === undefined) throw new Error('there are two nodes');
    const id = one.metadata.annotations?.['kube-register.io/machine-id'] ?? '';
    lab.fleet.setMachine({ id, address: one.metadata.name, metadata: { role: 'gone' } });
    lab.kubernetes.selfRegister(two.metadata.name, two.metadata.annotations?.['kube-register.io/machine-id'] ?? '', [
      two.metadata.name,
    ]);
    lab.kubernetes.putNode({
      name: 'left-over',
      annotations: two.metadata.annotations ?? {},
      addresses: [two.metadata.name],
      ready: true,
    });
    await daemon.pass();
    const unmatched = (await command(lab, ['explain', id, '--daemon', at])).stdout;
    expect(unmatched).toContain(`machine ${id}, node ${one.metadata.name}`);
    expect(unmatched).toContain('with role=gone; that does not match METADATA=role=kubernetes');
    const left = (await command(lab, ['explain', 'left-over', '--daemon', at])).stdout;
    expect(left).toMatch(new RegExp(`fleet +lists machine \\S+, whose node is ${two.metadata.name}`));
    expect(left).toMatch(new RegExp(`other node +${two.metadata.name} of the same machine is reporting`));
    expect(left).toContain(
      'while another node of its machine is reporting (left-over): after 15m of watched time (MISSING_GRACE);',
    );
  });

  it.each([
    ['a node that is cordoned', { unschedulable: true }, /^ {2}veto +the node is cordoned: kubectl uncordon core-1$/m],
    [
      'a node that an operator keeps',
      { annotations: { 'kube-register.io/keep': 'true' } },
      /^ {2}veto +kube-register\.io\/keep is set: kubectl annotate node core-1 kube-register\.io\/keep-$/m,
    ],
    [
      'a node of another owner',
      { annotations: { 'kube-register.io/owner': 'blue' } },
      /^ {2}owner +blue: managed by another kube-register, never changed by this one$/m,
    ],
    [
      'a node whose machine is missing from fleet',
      {},
      /^ {2}deregisters +a node that is not alive, whose machine is missing from fleet \(machine-gone\): after 15m .*\(MISSING_GRACE\); an/m,
    ],
  ])('tells of %s', async (_, traits, fact) => {
    const lab = await labOfTest();
    const annotations = { 'kube-register.io/machine-id': 'gone', ...('annotations' in traits && traits.annotations) };
    lab.kubernetes.putNode({ name: 'core-1', ...traits, annotations, ready: true });
    const { stdout } = await command(lab, ['explain', 'core-1']);
    expect(stdout).toMatch(fact);
  });

  it('tells of a kubelet that never answered this process', async () => {
    const lab = await labOfTest();
    const { id, address, kubelet } = await lab.addMachine({ metadata: WORKER });
    await kubelet.stop();
    const annotations = { 'kube-register.io/machine-id': id };
    lab.kubernetes.putNode({ name: address, annotations, addresses: [address], ready: 'unknown' });
    const { stdout } = await command(lab, ['explain', address]);
    expect(stdout).toMatch(
      /^ {2}node +unheard: not alive; kubelet unreachable; node Unknown; no earlier answer from its kubelet is known/m,
    );
    expect(stdout).toMatch(/^ {2}answered +never, since /m);
    expect(stdout).toMatch(/^ {2}Kubernetes +Unknown: its kubelet has stopped posting; reports/m);
  });

  it('asks for more when many begin so', async () => {
    const lab = await labOfTest();
    await lab.addMachines(9, WORKER);
    const { code, stdout, stderr } = await command(lab, ['explain', '0000']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /explain: "0000" matches 9 machines and nodes, such as 0+1, 0+2, 0+3: give more characters\n$/,
    );
  });

  it('names what is like the word that nothing has, and why nothing is known before the first good pass', async () => {
    const lab = await labOfTest();
    lab.kubernetes.putNode({ name: 'core-1', ready: true });
    expect((await command(lab, ['explain', 'core-7'])).stderr).toMatch(/matches "core-7"; did you mean core-1\?\n$/);
    lab.fleet.etcd = 'unreachable';
    const daemon = startProgram(settingsFor(lab));
    const at = await daemon.url();
    await daemon.firstPass();
    const { code, stderr } = await command(lab, ['explain', 'core-1', '--daemon', at]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/matches "core-1": no pass has succeeded yet, so nothing is known; fleet .*is etcd healthy/);
  });

  it('says so when there is none', async () => {
    const lab = await labOfTest();
    await lab.addMachine({ metadata: WORKER });
    expect(await command(lab, ['explain', 'core-9'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'kube-register explain: no machine or node matches "core-9" (1 machine, 0 nodes): ' +
        'give a machine ID or at least its first 4 characters, a node name or an address\n',
    });
  });
});

describe('a command', () => {
  it('ends with 2 and one line for each mistake, of its own and of the settings', async () => {
    const lab = await labOfTest();
    const { code, stderr } = await command(lab, ['status', '-o', 'xml', '--polcy=x'], { POLICY: 'y' });
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toEqual([
      '-o: "xml": must be text, wide, json, yaml or name',
      '--polcy: unknown flag; did you mean --policy?',
      'KUBE_REGISTER_POLICY="y": must be sync or register-only',
    ]);
  });

  it('says what is wrong with a file of credentials', async () => {
    const lab = await labOfTest();
    const { code, stderr } = await command(lab, ['status'], { API_TOKEN_FILE: '/nowhere/token' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^kube-register status: KUBE_REGISTER_API_TOKEN_FILE.*\/nowhere\/token/);
  });

  it('says what a server said on one line, whatever it said', async () => {
    const lab = await labOfTest();
    const message = '\u001b[2J\u202eEVIL\r\nkube-register plan: FAKE';
    lab.kubernetes.faults.add(answerWith(403, JSON.stringify({ kind: 'Status', message })), { path: /nodes/ });
    const { code, stderr } = await command(lab, ['plan']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^kube-register plan: kubernetes at .*403.*EVIL.*FAKE.*\n$/);
    expect(stderr.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('is interrupted while it looks', async () => {
    const lab = await labOfTest();
    lab.fleet.faults.add(hang);
    const asked = lab.fleet.log.arrival();
    const program = startProgram({ ...settingsFor(lab), LISTEN: 'off' }, ['plan']);
    await asked;
    expect(await program.stop()).toMatchObject({ code: 1, stderr: 'kube-register plan: interrupted\n' });
  });
});
