/** What was true when it was read, and no longer is when it decides; and what is asked again and again in vain. */
import { describe, expect, it } from 'vitest';
import { answerWith, type Fault } from '../lab/faults.ts';
import { Loop, MINUTE, startLoop, told, verdictOf, WORKER } from './in-lab.ts';

const policy = { missingGraceMs: 5 * MINUTE, unhealthyGraceMs: 10 * MINUTE };
const OTHER_ID = 'd'.repeat(32);
const INVALID = answerWith(422, '{"kind":"Status","reason":"Invalid"}');

/** Machines with their nodes, of which the first is to be looked at. */
async function startWith(count: number, options: Parameters<typeof startLoop>[0] = {}) {
  const loop = await startLoop({ policy, probeMs: 1_000, ...options });
  const [machine, ...others] = await loop.join(count);
  if (machine === undefined) throw new Error('the lab made no machine');
  return { loop, machine, others };
}

describe('a living node stays', () => {
  it('whose kubelet answers at the second of the addresses that it reports', async () => {
    const { loop } = await startWith(3);
    const { address, id } = await loop.lab.addMachine({ metadata: WORKER });
    loop.lab.kubernetes.selfRegister('host-1', id, ['127.9.9.9', address]);
    await loop.passes(2);
    loop.lab.kubernetes.log.clear();
    loop.lab.fleet.removeMachine(id);
    loop.lab.kubernetes.setReady('host-1', 'unknown');
    expect(verdictOf(await loop.passFor(8 * MINUTE), 'host-1')).toBe('orphan');
    expect(loop.writes).toEqual([]);
  });

  it('that reports the id of a machine which fleet lists at its address, whatever its mark says', async () => {
    const { loop, machine } = await startWith(4);
    const { address, id } = machine;
    loop.lab.fleet.removeMachine(id);
    loop.lab.fleet.setMachine({ id: OTHER_ID, address, metadata: { role: 'other' } });
    loop.lab.kubernetes.selfRegister(address, OTHER_ID, [address]);
    await loop.passes(3);
    loop.lab.kubernetes.setReady(address, 'unknown');
    // What was read of the node before fleet listed the other machine stands for ten minutes.
    expect(verdictOf(await loop.passFor(8 * MINUTE), address)).toBe('orphan');
    expect(verdictOf(await loop.passFor(4 * MINUTE), address)).toBe('unmatched');
    expect(loop.writes).toEqual([]);
  });
});

describe('a kubelet that registers itself while the pass runs', () => {
  it('gets no phantom beside its node', async () => {
    const loop = await startLoop({ policy });
    const { kubernetes } = loop.lab;
    const machines = await loop.lab.addMachines(4, WORKER);
    for (const { id, address, kubelet } of machines) {
      // After the nodes were listed, before the kubelet is known to be healthy.
      const comeUp: Fault = (response, handle) => {
        const { status, body } = handle();
        if (kubernetes.node(hostOf(address)) === undefined) kubernetes.selfRegister(hostOf(address), id, [address]);
        answerWith(status, body)(response, handle);
      };
      kubelet.misbehave(comeUp);
    }
    kubernetes.faults.add(listOfEarlier(), { method: 'GET', path: /nodes\?/, times: 1 });
    await loop.pass();
    expect(loop.nodeNames.sort()).toEqual(machines.map(({ address }) => hostOf(address)).sort());
  });
});

/** The list of nodes as it was before any kubelet had registered. */
function listOfEarlier(): Fault {
  return answerWith(200, '{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[]}');
}

function hostOf(address: string): string {
  return `host-${address.replaceAll('.', '-')}`;
}

describe('a machine that took over what was another machine’s', () => {
  it('gets the node that its kubelet fills, and the other one a node of its own, once the node is read again', async () => {
    const { loop, machine } = await startWith(3);
    const { address: old, id } = machine;
    // A daemon that has read the node with the id that its kubelet reported.
    const daemon = new Loop(loop.lab, { policy });
    await daemon.pass();
    const { address } = await loop.lab.kubelets.add();
    loop.lab.fleet.setMachine({ id, address, metadata: WORKER });
    loop.lab.fleet.setMachine({ id: OTHER_ID, address: old, metadata: WORKER });
    loop.lab.kubernetes.selfRegister(old, OTHER_ID, [old]);
    const { seen } = await daemon.passFor(12 * MINUTE);
    expect(daemon.writes).toEqual([`POST ${address}`, `PATCH ${old}`]);
    expect(seen?.observation.pairing.byNode.get(old)?.machine.id).toBe(OTHER_ID);
    expect(seen?.observation.pairing.byNode.get(address)?.machine.id).toBe(id);
  });

  it('is found to be a foreign node’s own after a reinstallation, which is then adopted', async () => {
    const loop = await startLoop({ policy });
    const { address } = await loop.lab.kubelets.add();
    loop.lab.fleet.setMachine({ id: 'a'.repeat(32), address, metadata: { role: 'other' } });
    loop.lab.kubernetes.selfRegister(address, 'a'.repeat(32), [address]);
    expect(verdictOf(await loop.pass(), address)).toBe('foreign');
    loop.lab.fleet.removeMachine('a'.repeat(32));
    loop.lab.fleet.setMachine({ id: OTHER_ID, address, metadata: WORKER });
    loop.lab.kubernetes.selfRegister(address, OTHER_ID, [address]);
    expect(told(await loop.pass())).toEqual([`adopt ${address}: done`]);
  });
});

describe('a node that bears the mark of a machine which has moved elsewhere', () => {
  it('goes when the kubelet of the machine that holds it now is dead', async () => {
    const { loop, machine } = await startWith(4);
    const { address: old, id } = machine;
    const { address } = await loop.lab.kubelets.add();
    loop.lab.fleet.setMachine({ id, address, metadata: WORKER });
    loop.lab.fleet.setMachine({ id: OTHER_ID, address: old, metadata: WORKER });
    loop.lab.kubernetes.selfRegister(old, OTHER_ID, [old]);
    await loop.passes(2);
    expect(loop.writes).toEqual([`POST ${address}`]);
    loop.lab.kubernetes.selfRegister(address, id, [address]);
    await loop.silence(machine);
    loop.lab.kubernetes.log.clear();
    // Ten minutes until the node is read again, and ten of grace.
    await loop.passFor(21 * MINUTE);
    expect(loop.writes).toEqual([`DELETE ${old}`]);
  });
});

describe('with ADOPT=false', () => {
  const adopt = false;

  it('recognised nodes are not read again in every pass', async () => {
    const loop = await startLoop({ policy: { ...policy, adopt } });
    for (const { id, address } of await loop.lab.addMachines(5, WORKER)) {
      loop.lab.kubernetes.selfRegister(hostOf(address), id, [address]);
    }
    await loop.passes(2);
    loop.lab.kubernetes.log.clear();
    await loop.pass();
    expect(loop.reads).toEqual(['GET nodes']);
  });

  it('no mark is rewritten', async () => {
    const loop = await startLoop({ policy: { ...policy, adopt } });
    const { address } = await loop.lab.kubelets.add();
    const annotations = { 'kube-register.io/machine-id': 'f'.repeat(32) };
    loop.lab.kubernetes.putNode({ name: address, annotations });
    await loop.lab.addMachine({ id: OTHER_ID, address, metadata: WORKER });
    await loop.passes(5);
    expect(loop.writes).toEqual([]);
  });
});

describe('a request that was refused for what it says', () => {
  it('is not repeated in the passes that follow, and nothing is read for it', async () => {
    const loop = await startLoop({ policy });
    const { address } = await loop.lab.addMachine({ metadata: WORKER });
    for (let number = 1; number <= 5; number++) {
      loop.lab.kubernetes.putNode({ name: `foreign-${number}`, ready: true });
    }
    loop.lab.kubernetes.faults.add(INVALID, { method: 'POST' });
    await loop.attempt();
    expect(loop.writes).toEqual([`POST ${address}`]);
    loop.lab.kubernetes.log.clear();
    await loop.passes(3);
    expect(loop.writes).toEqual([]);
    expect(loop.reads).toEqual(['GET nodes', 'GET nodes', 'GET nodes']);
  });

  it('is not repeated when it was a delete', async () => {
    const { loop, machine } = await startWith(4);
    await loop.destroy(machine);
    loop.lab.kubernetes.faults.add(INVALID, { method: 'DELETE' });
    for (let pass = 0; pass < 20; pass++) await loop.attempt();
    expect(loop.writes).toEqual([`DELETE ${machine.address}`]);
  });

  it('because of its labels leaves nothing that claims them', async () => {
    const loop = await startLoop({ policy: { ...policy, nodeLabels: ['rack'] } });
    const { address } = await loop.lab.addMachine({ metadata: { ...WORKER, rack: 'r1' } });
    const causes = '"details":{"causes":[{"field":"metadata.labels"}]}';
    const refusal = answerWith(422, `{"kind":"Status","reason":"Invalid",${causes}}`);
    loop.lab.kubernetes.faults.add(refusal, { method: 'POST', times: 1 });
    await loop.pass();
    loop.lab.kubernetes.patchNode(address, { metadata: { labels: { rack: 'by-a-person' } } });
    await loop.passFor(15 * MINUTE);
    expect(loop.lab.kubernetes.node(address)?.metadata.labels).toMatchObject({ rack: 'by-a-person' });
  });
});
