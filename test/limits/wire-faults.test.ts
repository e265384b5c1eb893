/** The real program against servers to which the connections are cut, stall, drip, are reset or are not even accepted. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Target } from '../../src/http/request-error.ts';
import { WORKER } from '../integration/in-lab.ts';
import { GOOD_END, labOfTest, type Program, settingsFor, startProgram } from '../integration/program.ts';
import {
  closeAfter,
  closeRequest,
  dripAnswer,
  dripBody,
  type FaultyWire,
  loseAnswer,
  resetAfter,
  resetRequest,
  stallAfter,
  startWire,
  swallowRequest,
  type WireFault,
} from '../lab/faulty-wire.ts';
import type { Lab, LabMachine } from '../lab/lab.ts';

/** One request to fleet or Kubernetes: long enough for a machine that is busy. */
const TIMEOUT = '1s';
const SERVERS: readonly Target[] = ['fleet', 'kubernetes'];

const CUT = /: the connection was closed before the response was complete \(ECONNRESET\)/;
const LATE = /: no complete response within 1s \(KUBE_REGISTER_(FLEET|API)_TIMEOUT\)/;

/** Strikes every request that comes on the wire, until what it returns is called. */
type Strike = (wire: FaultyWire) => Promise<() => unknown>;

function onRequests(fault: WireFault): Strike {
  return async (wire) => wire.faults.add(fault);
}

const fullQueue: Strike = async (wire) => {
  await wire.fillQueue();
  return () => wire.open();
};

/** What goes wrong, and what must be said of it. */
const FAULTS: readonly (readonly [string, Strike, RegExp])[] = [
  ['FIN in the middle of the body', onRequests(closeAfter(20)), CUT],
  ['RST in the middle of the body', onRequests(resetAfter(20)), CUT],
  ['FIN between headers and body', onRequests(closeAfter(0)), CUT],
  ['FIN instead of an answer', onRequests(closeRequest), CUT],
  ['RST instead of an answer', onRequests(resetRequest), CUT],
  ['RST after the server has answered', onRequests(loseAnswer), CUT],
  ['silence instead of an answer', onRequests(swallowRequest), LATE],
  ['silence after the headers', onRequests(stallAfter(0)), LATE],
  ['silence in the middle of the body', onRequests(stallAfter(20)), LATE],
  ['an answer that drips', onRequests(dripAnswer(20)), LATE],
  ['a body that drips', onRequests(dripBody(20)), LATE],
  ['a full accept queue', fullQueue, LATE],
];

interface Scene {
  readonly lab: Lab;
  readonly wires: Readonly<Record<Target, FaultyWire>>;
  readonly program: Program;
}

/** The program has passed once, over wires that are sound. */
async function startScene(machines: number): Promise<Scene> {
  const lab = await labOfTest();
  await lab.addMachines(machines, WORKER);
  const wires = { fleet: await wireOfTest(lab.fleet.endpoint), kubernetes: await wireOfTest(lab.kubernetes.url) };
  const program = startProgram({
    ...settingsFor(lab),
    FLEET_ENDPOINT: wires.fleet.url,
    API_ENDPOINT: wires.kubernetes.url,
    FLEET_TIMEOUT: TIMEOUT,
    API_TIMEOUT: TIMEOUT,
    MISSING_GRACE: '1ms',
  });
  await program.firstPass();
  for (const { name } of (await program.status()).nodes) report(lab, name);
  await program.pass();
  lab.kubernetes.log.clear();
  return { lab, wires, program };
}

async function wireOfTest(url: string): Promise<FaultyWire> {
  const { hostname: host, port } = new URL(url);
  const wire = await startWire({ host, port: Number(port) });
  onTestFinished(() => wire.close());
  return wire;
}

/** Its kubelet reports to Kubernetes under the name that the node has. */
function report(lab: Lab, name: string): void {
  const id = lab.kubernetes.node(name)?.metadata.annotations?.['kube-register.io/machine-id'] ?? '';
  lab.kubernetes.selfRegister(name, id, [name]);
}

/** The machine is gone for good, and after these passes only one more is needed before its node is deleted. */
async function doom({ lab, program }: Scene, { id, address, kubelet }: LabMachine): Promise<void> {
  lab.fleet.removeMachine(id);
  await kubelet.stop();
  lab.kubernetes.setReady(address, 'unknown');
  await program.pass();
  await program.pass();
}

/** Every write to a node that Kubernetes has got since the log was cleared: `DELETE 127.1.0.4`, sorted. */
function writesTo(lab: Lab): string[] {
  return lab.kubernetes.log.writes
    .filter(({ path }) => path.includes('/nodes'))
    .map(({ method, path, body }) => {
      const name: unknown = method === 'POST' ? JSON.parse(body).metadata.name : path.split('/').at(-1);
      return `${method} ${name}`;
    })
    .sort();
}

function errors(program: Program): string[] {
  return program.log.filter(({ level }) => level === 'error').map(({ msg }) => msg);
}

/** A machine that has just been registered. */
async function newcomer({ lab, program }: Scene): Promise<LabMachine> {
  const machine = await lab.addMachine({ metadata: WORKER });
  await program.pass();
  report(lab, machine.address);
  return machine;
}

describe.each(SERVERS)('the way to %s', (target) => {
  it('breaks in every way, and each time the status says so, nothing is changed, and the next pass does the work', async () => {
    const scene = await startScene(3);
    const { lab, program, wires } = scene;
    const wire = wires[target];
    const asked = `${target} at ${wire.url}: GET `;
    let last = await newcomer(scene);
    const sockets = await program.openSockets();
    for (const [name, strike, words] of FAULTS) {
      await doom(scene, last);
      const next = await lab.addMachine({ metadata: WORKER });
      lab.kubernetes.log.clear();

      const mend = await strike(wire);
      await program.pass();
      expect(writesTo(lab), name).toEqual([]);
      const { up, problem } = (await program.status())[target];
      expect([up, problem?.startsWith(asked)], `${name}: ${problem}`).toEqual([false, true]);
      expect(problem, name).toMatch(words);

      await mend();
      await program.pass();
      expect(writesTo(lab), name).toEqual([`DELETE ${last.address}`, `POST ${next.address}`]);
      report(lab, next.address);
      last = next;
    }
    // Each fault cost up to three connections; what stays are the few that lie idle.
    expect(await program.openSockets()).toBeLessThan(sockets + FAULTS.length);
    // The first three outages are logged one by one; after that, summary lines.
    const said = errors(program);
    expect(said.length).toBeGreaterThanOrEqual(3);
    expect(said.length).toBeLessThan(FAULTS.length);
    for (const error of said) expect(error).toMatch(/; nothing is changed until this succeeds; retried in \d+[ms]/);
    expect(program.lines(/^requests to (fleet|the API server) succeed again after /).length).toBeGreaterThanOrEqual(3);
    expect(await program.stop()).toEqual(GOOD_END);
  }, 60_000);
});

describe('the ways to both', () => {
  it('break for one request: it is sent again, and the pass is good', async () => {
    const { wires, program } = await startScene(3);
    const faults = [closeAfter(20), resetAfter(20), closeRequest, resetRequest, loseAnswer];
    for (const [index, fault] of faults.entries()) {
      for (const server of SERVERS) wires[server].faults.add(fault, { times: 1 });
      await program.pass();
      for (const server of SERVERS) {
        expect(await program.metric(`kube_register_request_retries_total{target="${server}"}`)).toBe(index + 1);
      }
    }
    expect(errors(program)).toEqual([]);
  });

  it('have full accept queues: the kernel answers nobody, and the daemon waits no longer than it was told', async () => {
    const { wires, program } = await startScene(3);
    for (const server of SERVERS) {
      const queue = await wires[server].fillQueue();
      expect(await queue.unanswered()).toBe(0);
      program.signal('SIGUSR2');
      await vi.waitFor(async () => expect(await queue.unanswered()).toBe(1), { timeout: 15_000, interval: 10 });
      expect((await program.said(new RegExp(`^${server} at \\S+: GET `))).msg).toMatch(LATE);
      expect(await queue.unanswered()).toBe(0);
      await wires[server].open();
      // A failed pass is tried again soon: only after a good one nothing is asked until the next signal.
      await program.pass();
    }
  });

  it('forget all idle connections, which break when the next request comes: no pass fails', async () => {
    // So many that more connections stay idle than a request is tried.
    const { lab, wires, program } = await startScene(12);
    for (const how of ['close', 'reset'] as const) {
      await lab.addMachines(12, WORKER);
      await program.pass();
      expect(wires.kubernetes.connections).toBeGreaterThan(3);
      for (const server of SERVERS) wires[server].forgetConnections(how);
      const next = await lab.addMachine({ metadata: WORKER });
      lab.kubernetes.log.clear();
      await program.pass();
      expect(writesTo(lab)).toEqual([`POST ${next.address}`]);
    }
    expect(errors(program)).toEqual([]);
  });
});

describe('a write whose answer is lost', () => {
  const NODES = /\/nodes/;

  it('a registration: there is one node, and it is not registered again', async () => {
    const { lab, wires, program } = await startScene(3);
    const { address, id } = await lab.addMachine({ metadata: WORKER });
    wires.kubernetes.faults.add(loseAnswer, { method: 'POST', path: NODES, times: 1 });
    await program.pass();
    expect(errors(program)).toEqual([expect.stringMatching(failed('register', address, 'POST /api/v1/nodes'))]);
    await program.pass();
    expect(writesTo(lab)).toEqual([`POST ${address}`]);
    expect(lab.kubernetes.nodes).toHaveLength(4);
    expect((await program.status()).nodes).toContainEqual(expect.objectContaining({ name: address, machine: id }));
    expect(errors(program)).toHaveLength(1);
  });

  it('a registration that never arrived: no phantom is made beside the node that the kubelet registered meanwhile', async () => {
    const { lab, wires, program } = await startScene(3);
    const { address, id } = await lab.addMachine({ metadata: WORKER });
    wires.kubernetes.faults.add(resetRequest, { method: 'POST', path: NODES, times: 1 });
    await program.pass();
    expect(errors(program)).toEqual([expect.stringMatching(failed('register', address, 'POST /api/v1/nodes'))]);
    expect(writesTo(lab)).toEqual([]);
    lab.kubernetes.selfRegister('core-4', id, [address]);
    await program.pass();
    expect(writesTo(lab)).toEqual(['PATCH core-4']);
    expect(lab.kubernetes.node(address)).toBeUndefined();
  });

  it('an adoption: it was done, and nothing is left to do', async () => {
    const { lab, wires, program } = await startScene(3);
    const { address, id } = await lab.addMachine({ metadata: WORKER });
    lab.kubernetes.selfRegister('core-4', id, [address]);
    wires.kubernetes.faults.add(loseAnswer, { method: 'PATCH', times: 1 });
    await program.pass();
    expect(errors(program)).toEqual([expect.stringMatching(failed('adopt', 'core-4', 'PATCH /api/v1/nodes/core-4'))]);
    await program.pass();
    expect(writesTo(lab)).toEqual(['PATCH core-4']);
  });

  it('a deletion: the node that its kubelet registers afterwards under the same name is not deleted for it', async () => {
    const scene = await startScene(3);
    const { lab, wires, program } = scene;
    const machine = await newcomer(scene);
    await doom(scene, machine);
    lab.kubernetes.log.clear();
    wires.kubernetes.faults.add(loseAnswer, { method: 'DELETE', times: 1 });
    await program.pass();
    const { address, id } = machine;
    const request = `DELETE /api/v1/nodes/${address}`;
    expect(errors(program)).toEqual([expect.stringMatching(failed('deregister', address, request))]);
    expect(lab.kubernetes.node(address)).toBeUndefined();

    // As marked as the other one was, and no more alive yet.
    const annotations = { 'kube-register.io/machine-id': id, 'kube-register.io/address': address };
    lab.kubernetes.putNode({ name: address, annotations });
    await program.pass();
    expect(writesTo(lab)).toEqual([`DELETE ${address}`]);
    expect((await program.status()).nodes).toContainEqual(
      expect.objectContaining({ name: address, verdict: 'in-grace' }),
    );
  });

  it.each([
    ['still dead: it is deleted in the next pass', false],
    ['alive again: it stays', true],
  ])('a deletion that never arrived, of a machine that is then %s', async (_, returns) => {
    const scene = await startScene(3);
    const { lab, wires, program } = scene;
    const machine = await newcomer(scene);
    const { address, kubelet } = machine;
    await doom(scene, machine);
    lab.kubernetes.log.clear();
    wires.kubernetes.faults.add(resetRequest, { method: 'DELETE', times: 1 });
    await program.pass();
    expect(writesTo(lab)).toEqual([]);
    expect(errors(program)).toHaveLength(1);
    if (returns) await kubelet.start();
    await program.pass();
    expect(writesTo(lab)).toEqual(returns ? [] : [`DELETE ${address}`]);
    expect(lab.kubernetes.node(address) !== undefined).toBe(returns);
  });
});

/** `could not register node 127.1.0.4: kubernetes at ...: POST /api/v1/nodes: the connection was closed ...`. */
function failed(action: string, node: string, request: string): RegExp {
  return new RegExp(
    `^could not ${action} node ${node}( of machine [0-9a-f]+)?: kubernetes at [^ ]+: ${request}${CUT.source}`,
  );
}

describe('the way to a kubelet', () => {
  const HEALTHY: readonly (readonly [string, WireFault])[] = [
    ['FIN between headers and body', closeAfter(0)],
    ['RST between headers and body', resetAfter(0)],
    ['FIN in the middle of the body', closeAfter(1)],
    ['RST in the middle of the body', resetAfter(1)],
    ['silence after the headers', stallAfter(0)],
    ['silence in the middle of the body', stallAfter(1)],
    ['a body that drips', dripBody(20)],
  ];
  /** Alive, but not healthy: the answer began, and its status never came whole. */
  const UNFINISHED: readonly (readonly [string, WireFault, string])[] = [
    ['FIN in the middle of the headers', closeAfter(-20), 'closed the connection in the middle of its HTTP response'],
    ['silence in the middle of the headers', stallAfter(-20), 'did not finish its HTTP response'],
    ['an answer that drips', dripAnswer(20), 'did not finish its HTTP response'],
  ];
  const SILENT: readonly (readonly [string, WireFault | 'full queue', string])[] = [
    ['FIN instead of an answer', closeRequest, 'closed the connection without an answer'],
    ['RST instead of an answer', resetRequest, 'closed the connection without an answer'],
    ['RST after the kubelet has answered', loseAnswer, 'closed the connection without an answer'],
    ['silence instead of an answer', swallowRequest, 'timed out'],
    ['a full accept queue', 'full queue', 'timed out'],
  ];

  it('breaks in every way: healthy if the headers came, alive if an answer began, and silent if not', async () => {
    const lab = await labOfTest();
    const ways = [...HEALTHY, ...UNFINISHED, ...SILENT];
    const places = await Promise.all(ways.map((_, index) => machineBehindWire(lab, `127.2.0.${index + 1}`)));
    const strike = async () => {
      for (const [index, [, fault]] of ways.entries()) {
        if (fault === 'full queue') await places[index]?.wire.fillQueue();
        else places[index]?.wire.faults.add(fault);
      }
    };
    const mend = async () => {
      for (const { wire } of places) {
        wire.faults.clear();
        await wire.open();
      }
    };
    await strike();
    const program = startProgram({ ...settingsFor(lab), HEALTHZ_TIMEOUT: TIMEOUT, MAX_DEREGISTER_PERCENT: '100' });
    await program.firstPass();
    const { machines } = await program.status();
    for (const [index, [name]] of HEALTHY.entries()) {
      expect(lab.kubernetes.node(places[index]?.address ?? ''), name).toBeDefined();
    }
    expect(lab.kubernetes.nodes).toHaveLength(HEALTHY.length);
    for (const [index, [name, , words]] of [...UNFINISHED, ...SILENT].entries()) {
      expect(machines.find(({ id }) => id === places[HEALTHY.length + index]?.id)?.reason, name).toContain(words);
    }

    await mend();
    await program.pass();
    for (const { address } of places) report(lab, address);
    // Each kubelet answers while it has its node: without that, silence would prove nothing.
    await program.pass();
    for (const { address } of places) lab.kubernetes.setReady(address, 'unknown');
    await strike();
    await program.pass();
    const { nodes } = await program.status();
    const told = ways.map(([name], index) => [
      name,
      nodes.find((node) => node.name === places[index]?.address)?.verdict,
    ]);
    expect(told).toEqual([
      ...[...HEALTHY, ...UNFINISHED].map(([name]) => [name, 'keep']),
      ...SILENT.map(([name]) => [name, 'in-grace']),
    ]);

    await mend();
    await program.pass();
    expect((await program.status()).nodes.filter(({ verdict }) => verdict !== 'keep')).toEqual([]);
    expect(lab.kubernetes.log.writes.filter(({ method }) => method === 'DELETE')).toEqual([]);
    expect(await program.stop()).toEqual(GOOD_END);
  });

  /** The wire has the machine's address and the port of all kubelets; the kubelet itself is at another address. */
  async function machineBehindWire(lab: Lab, address: string) {
    const kubelet = await lab.kubelets.add();
    const { port } = lab.kubelets;
    const wire = await startWire({ host: kubelet.address, port }, { host: address, port });
    onTestFinished(() => wire.close());
    const id = `behind-${address}`;
    lab.fleet.setMachine({ id, address, metadata: WORKER });
    return { id, address, wire };
  }
});
