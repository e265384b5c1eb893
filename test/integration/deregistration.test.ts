/** When the reconcile loop deregisters a node, and the many cases in which it must not, over real HTTP. */
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/reconcile/plan/policy.ts';
import { send } from '../lab/answer.ts';
import { answerWith, change, type Fault } from '../lab/faults.ts';
import type { LabMachine } from '../lab/lab.ts';
import { Loop, MINUTE, meanwhile, startLoop, told, verdictOf, WORKER } from './in-lab.ts';

/** The first good pass starts a grace, and the others add half a minute each. */
const passesOf = (graceMs: number) => graceMs / (MINUTE / 2) + 1;

const GRACES = { missingGraceMs: 5 * MINUTE, unhealthyGraceMs: 10 * MINUTE };
/** Longer than any of them. */
const LONG = 20 * MINUTE;

/** A loop whose machines have been registered for a while, and one of them. */
async function cluster(count: number, policy: Partial<Policy> = GRACES) {
  const loop = await startLoop({ policy });
  const machines = await loop.join(count);
  const [machine] = machines;
  if (machine === undefined) throw new Error('the lab made no machine');
  return { loop, machines, machine };
}

/** How many passes it takes until something is deleted; Infinity when a hundred and twenty were not enough. */
async function passesUntilDelete(loop: Loop): Promise<number> {
  for (let count = 1; count <= 120; count++) {
    await loop.pass();
    if (loop.writes.length > 0) return count;
  }
  return Number.POSITIVE_INFINITY;
}

const stopsMatching = ({ lab }: Loop, { id, address }: LabMachine) =>
  lab.fleet.setMachine({ id, address, metadata: { role: 'etcd' } });

describe('a dead node', () => {
  it.each<[string, string, number, (loop: Loop, machine: LabMachine) => unknown]>([
    ['machine-gone', 'MISSING_GRACE', 15, ({ lab }, { id }) => lab.fleet.removeMachine(id)],
    ['metadata-changed', 'MISSING_GRACE', 15, stopsMatching],
    ['unhealthy', 'UNHEALTHY_GRACE', 30, () => undefined],
  ])('is deregistered as %s after %s, %i minutes', async (reason, _, minutes, also) => {
    const { loop, machine } = await cluster(4, { missingGraceMs: 15 * MINUTE, unhealthyGraceMs: 30 * MINUTE });
    await loop.silence(machine);
    await also(loop, machine);
    const report = await loop.passes(passesOf(minutes * MINUTE) - 1);
    expect(report.seen?.plan.nodes.get(machine.address)).toMatchObject({ name: 'in-grace', dueInMs: MINUTE / 2 });
    expect(loop.writes).toEqual([]);
    expect((await loop.pass()).outcomes).toMatchObject([{ action: { kind: 'deregister', reason }, result: 'done' }]);
    expect(loop.writes).toEqual([`DELETE ${machine.address}`]);
    expect(loop.nodeNames).toHaveLength(3);
    expect(told(await loop.passes(3))).toEqual([]);
  });

  it('is given its whole grace again when it was seen alive once, or when the other grace takes over, and that is said', async () => {
    const { loop, machine } = await cluster(4);
    await loop.destroy(machine);
    await loop.passFor(4 * MINUTE);
    loop.lab.kubernetes.setReady(machine.address, true);
    await loop.pass();
    loop.lab.kubernetes.setReady(machine.address, 'unknown');
    await loop.passFor(4 * MINUTE);
    loop.lab.fleet.setMachine({ id: machine.id, address: machine.address, metadata: WORKER });
    await loop.passFor(9 * MINUTE);
    loop.lab.fleet.removeMachine(machine.id);
    expect((await loop.pass()).seen?.plan.notes.map(({ text }) => text)).toEqual([
      `node ${machine.address}: missing from fleet (before: not alive); a new grace period begins; it will be deregistered in 5m`,
    ]);
    expect(await passesUntilDelete(loop)).toBe(passesOf(5 * MINUTE) - 1);
  });

  it('keeps its grace when fleet drops a machine that no longer matched: these rows share one', async () => {
    const { loop, machine } = await cluster(4);
    await loop.silence(machine);
    await stopsMatching(loop, machine);
    await loop.passFor(4 * MINUTE);
    loop.lab.fleet.removeMachine(machine.id);
    expect(await passesUntilDelete(loop)).toBe(passesOf(MINUTE));
  });

  it('is kept while this process has never heard its kubelet', async () => {
    const { loop, machine } = await cluster(4);
    await loop.silence(machine);
    const restarted = new Loop(loop.lab, { policy: GRACES });
    expect(verdictOf(await restarted.passFor(LONG), machine.address)).toBe('unheard');
    expect(loop.writes).toEqual([]);
  });

  it('is never deregistered with POLICY=register-only, and new machines are registered', async () => {
    const { loop, machine } = await cluster(4, { ...GRACES, neverDeregister: 'KUBE_REGISTER_POLICY=register-only' });
    await loop.destroy(machine);
    const { address } = await loop.lab.addMachine({ metadata: WORKER });
    expect(verdictOf(await loop.passFor(LONG), machine.address)).toBe('spared');
    expect(loop.writes).toEqual([`POST ${address}`]);
  });

  it('is never touched without our mark', async () => {
    const { loop } = await cluster(4);
    loop.lab.kubernetes.putNode({ name: 'stranger', addresses: ['127.9.9.9'], ready: 'unknown' });
    expect(verdictOf(await loop.passFor(LONG), 'stranger')).toBe('foreign');
    expect(loop.writes).toEqual([]);
  });

  it('goes one a pass where several are due: the longest gone first, behind those that failed less', async () => {
    const { loop, machines } = await cluster(10);
    const gone = machines.slice(4, 7).reverse();
    const deletes = gone.map(({ address }) => `DELETE ${address}`);
    for (const machine of gone) {
      await loop.destroy(machine);
      await loop.pass();
    }
    const lift = loop.lab.kubernetes.faults.add(answerWith(503), { method: 'DELETE' });
    await loop.passes(passesOf(5 * MINUTE) - 4);
    expect(loop.writes).toEqual([]);
    for (let attempt = 1; attempt <= 6; attempt++) await loop.attempt();
    expect(loop.writes).toEqual([...deletes, ...deletes]);
    lift();
    loop.lab.kubernetes.log.clear();
    await loop.passes(4);
    expect(loop.writes).toEqual(deletes);
  });

  it('waits in a queue while others of the same age are deregistered', async () => {
    const { loop, machines } = await cluster(10);
    const gone = machines.slice(0, 3);
    for (const machine of gone) await loop.destroy(machine);
    const report = await loop.passes(passesOf(5 * MINUTE));
    const verdicts = gone.map(({ address }) => verdictOf(report, address));
    expect(verdicts).toEqual(['deregister', 'queued', 'queued']);
    await loop.passes(2);
    expect(loop.nodeNames).toHaveLength(7);
  });

  it('gains no age in passes that run into their deadline while they apply', async () => {
    const loop = await startLoop({ policy: { missingGraceMs: 0 }, passMs: 500 });
    const [machine] = await loop.join(4);
    if (machine === undefined) throw new Error('the lab made no machine');
    await loop.destroy(machine);
    // Longer than the deadline, so that every pass with somebody to register is a failed one.
    const slow: Fault = (response, handle) => void setTimeout(() => send(response, handle()), 700);
    const lift = loop.lab.kubernetes.faults.add(slow, { method: 'POST' });
    for (let count = 1; count <= 4; count++) {
      await loop.lab.addMachines(1, WORKER);
      expect([...(await loop.attempt()).failures.keys()]).toEqual(['timeout']);
    }
    expect(loop.writes.filter((write) => write.startsWith('DELETE'))).toEqual([]);
    lift();
    await loop.passes(2);
    expect(loop.nodeNames).toContain(machine.address);
    expect(told(await loop.pass())).toEqual([`deregister ${machine.address}: done`]);
  });

  it('gains no age while the API server is down', async () => {
    const { loop, machine } = await cluster(4);
    await loop.destroy(machine);
    await loop.passFor(2 * MINUTE);
    await loop.lab.kubernetes.stop();
    for (let pass = 1; pass <= 20; pass++) {
      expect([...(await loop.attempt()).failures.keys()]).toEqual(['kubernetes']);
    }
    await loop.lab.kubernetes.start();
    // Of the whole outage one interval is believed beside the usual one.
    expect(await passesUntilDelete(loop)).toBe(passesOf(3 * MINUTE) - 1);
  });
});

describe('a living node', () => {
  it.each<[string, (loop: Loop, machine: LabMachine) => unknown]>([
    ['orphan', ({ lab }, { id }) => lab.fleet.removeMachine(id)],
    ['unmatched', stopsMatching],
    ['probe-suspect', (_, { kubelet }) => kubelet.stop()],
  ])('is kept as %s, however long', async (verdict, turn) => {
    const { loop, machine } = await cluster(2);
    await turn(loop, machine);
    expect(verdictOf(await loop.passFor(LONG), machine.address)).toBe(verdict);
    expect(loop.writes).toEqual([]);
  });

  it('is kept on the word of its kubelet alone, even a sick one', async () => {
    const { loop, machine } = await cluster(4);
    loop.lab.fleet.removeMachine(machine.id);
    loop.lab.kubernetes.setReady(machine.address, 'unknown');
    machine.kubelet.misbehave(answerWith(500));
    expect(verdictOf(await loop.passFor(LONG), machine.address)).toBe('orphan');
    expect(loop.writes).toEqual([]);
  });
});

describe('the deletion guard', () => {
  it('holds when too many are gone; registrations go on; and afterwards every grace starts anew', async () => {
    const { loop, machines } = await cluster(6);
    const gone = machines.slice(0, 3);
    for (const machine of gone) await loop.destroy(machine);
    const report = await loop.passFor(LONG);
    expect(report.seen?.plan.hold?.message).toMatch(
      /^deletion guard active: 3 of 6 managed nodes are not alive \(50%, limit 34%\)/,
    );
    expect(gone.map(({ address }) => verdictOf(report, address))).toEqual(['held', 'held', 'held']);
    expect(loop.writes).toEqual([]);

    const others = await loop.lab.addMachines(3, WORKER);
    await loop.passFor(MINUTE);
    expect(loop.writes.sort()).toEqual(others.map(({ address }) => `POST ${address}`).sort());
    loop.lab.kubernetes.log.clear();
    // 3 of 9 would not be too many. The hold lasts until somebody deletes one of those that it began with.
    expect((await loop.pass()).seen?.plan.hold?.isLasting).toBe(true);
    loop.lab.kubernetes.deleteNode(gone[0]?.address ?? '');
    expect((await loop.pass()).seen?.plan.hold).toBeUndefined();
    expect(await passesUntilDelete(loop)).toBe(passesOf(5 * MINUTE) - 1);
  });

  it('holds when all are gone, be it only one', async () => {
    const { loop, machine } = await cluster(1);
    await loop.destroy(machine);
    const report = await loop.passFor(LONG);
    expect(report.seen?.plan.hold?.message).toMatch(/^deletion guard active: 1 of 1 /);
    expect(loop.writes).toEqual([]);
  });

  it('is switched off by 100', async () => {
    const { loop, machine } = await cluster(1, { ...GRACES, maxDeregisterPercent: 100 });
    await loop.destroy(machine);
    expect(await passesUntilDelete(loop)).toBe(passesOf(5 * MINUTE));
  });
});

describe('a fleet that answers 200 with machines missing', () => {
  const none = answerWith(200, '{}');
  const half = change((answer) => {
    const { machines } = JSON.parse(answer.body);
    return { ...answer, body: JSON.stringify({ machines: machines.slice(0, 3) }) };
  });

  it.each([
    ['all', none],
    ['half', half],
  ])('(%s of them) costs no living node', async (_, fault) => {
    const { loop } = await cluster(6);
    loop.lab.fleet.faults.add(fault);
    await loop.passFor(LONG);
    expect(loop.writes).toEqual([]);
  });

  it.each([
    ['all', none],
    ['half', half],
  ])('(%s of them) costs no node even where everything is silent too', async (_, fault) => {
    const { loop, machines } = await cluster(6);
    loop.lab.fleet.faults.add(fault);
    for (const machine of machines) await loop.silence(machine);
    expect((await loop.passFor(LONG)).seen?.plan.hold).toBeDefined();
    expect(loop.writes).toEqual([]);
  });

  it.each([
    ['all', none],
    ['half', half],
  ])('(%s of them) for a minute costs a reboot nothing but the grace it had', async (_, fault) => {
    const { loop, machine, machines } = await cluster(6);
    const last = machines.at(-1) ?? machine;
    await loop.silence(last);
    await loop.passFor(9 * MINUTE);
    const lift = loop.lab.fleet.faults.add(fault);
    await loop.passFor(MINUTE);
    lift();
    expect(await passesUntilDelete(loop)).toBe(passesOf(10 * MINUTE));
  });
});

describe('a fleet whose machines change between two pages', () => {
  /** Before fleet answers for the second page. */
  const betweenPages = (loop: Loop, act: () => unknown) =>
    loop.lab.fleet.faults.add(meanwhile(act), { path: /nextPageToken/, times: 1 });

  it('has a machine on no page: it is registered by the next pass, and kept once it has a node', async () => {
    const loop = await startLoop();
    const machines = (await loop.lab.addMachines(150, WORKER)).map(({ address }) => address).sort();
    betweenPages(loop, () => loop.lab.fleet.removeMachine('1'.padStart(32, '0')));
    await loop.pass();
    expect(loop.nodeNames).toHaveLength(149);
    await loop.pass();
    expect(loop.nodeNames.sort()).toEqual(machines);
    betweenPages(loop, () => loop.lab.fleet.removeMachine('2'.padStart(32, '0')));
    const report = await loop.pass();
    expect([...(report.seen?.plan.nodes.values() ?? [])].filter(({ name }) => name === 'orphan')).toHaveLength(2);
    expect(loop.nodeNames).toHaveLength(150);
  });

  it('has a machine on both pages: it is registered once', async () => {
    const loop = await startLoop();
    await loop.lab.addMachines(150, WORKER);
    betweenPages(loop, () => loop.lab.fleet.setMachine({ id: '0'.repeat(32), metadata: { role: 'etcd' } }));
    await loop.pass();
    expect(new Set(loop.writes).size).toBe(150);
    expect(loop.writes).toHaveLength(150);
  });
});
