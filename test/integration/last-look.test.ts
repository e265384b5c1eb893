/** The last check over HTTP: what is found right before a delete, and what the next passes make of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { PassReport } from '../../src/reconcile/reconciler.ts';
import { answerWith, change, hang, loseAnswer } from '../lab/faults.ts';
import type { KubernetesOptions } from '../lab/kubernetes.ts';
import type { LabMachine } from '../lab/lab.ts';
import { type Loop, MINUTE, meanwhile, startLoop, told, verdictOf } from './in-lab.ts';

const MACHINE_ID = 'kube-register.io/machine-id';
const KEEP = 'kube-register.io/keep';

let loop: Loop;
let dead: LabMachine;
let alive: LabMachine;

/** Four nodes, one of which has been dead for so long that the next pass is to deregister it. */
async function onTheBrink(kubernetes: KubernetesOptions = {}): Promise<void> {
  const policy = { missingGraceMs: 5 * MINUTE, unhealthyGraceMs: 10 * MINUTE };
  loop = await startLoop({ policy, probeMs: 1_000 }, { kubernetes });
  const [first, second] = await loop.join(4);
  if (first === undefined || second === undefined) throw new Error('the lab made too few machines');
  dead = first;
  alive = second;
  await loop.destroy(dead);
  await loop.passFor(5 * MINUTE);
  expect(loop.writes).toEqual([]);
}

/** The next pass reads the dead node twice: to plan, and for the last check. This happens in between, before the second. */
function beforeTheLastRead(act: () => unknown): void {
  onGet(
    1,
    meanwhile(() => {}),
  );
  onGet(1, meanwhile(act));
}

function onGet(times: number, fault: Parameters<typeof loop.lab.kubernetes.faults.add>[0]): void {
  loop.lab.kubernetes.faults.add(fault, { method: 'GET', path: /nodes\/./, times });
}

function patch(body: Parameters<typeof loop.lab.kubernetes.patchNode>[1]): void {
  loop.lab.kubernetes.patchNode(dead.address, body);
}

/** The pass ends while the node is read for the last time. */
async function endDuringTheLastCheck(): Promise<PassReport> {
  const stop = new AbortController();
  beforeTheLastRead(() => stop.abort());
  return loop.attempt(stop.signal);
}

function detailOf({ outcomes }: PassReport): string | undefined {
  return outcomes.find(({ action }) => action.kind === 'deregister')?.detail;
}

async function passesUntilDeleted(): Promise<number> {
  for (let count = 1; count <= 100; count++) {
    await loop.pass();
    if (loop.writes.includes(`DELETE ${dead.address}`)) return count;
  }
  return Number.POSITIVE_INFINITY;
}

describe('a node that is due', () => {
  beforeEach(() => onTheBrink());

  it('is deleted as the very node that was looked at', async () => {
    const looked = loop.lab.kubernetes.node(dead.address)?.metadata;
    expect(told(await loop.pass())).toEqual([`deregister ${dead.address}: done`]);
    const [request, ...others] = loop.lab.kubernetes.log.writes;
    expect(others).toEqual([]);
    expect([request?.method, request?.path]).toEqual(['DELETE', `/api/v1/nodes/${dead.address}`]);
    expect(JSON.parse(request?.body ?? '')).toEqual({
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: { uid: looked?.uid, resourceVersion: looked?.resourceVersion },
    });
    expect(loop.nodeNames).toHaveLength(3);
    expect(told(await loop.pass())).toEqual([]);
  });

  it('is asked of which server it is first, then read, then deleted, with nothing in between', async () => {
    loop.lab.kubernetes.log.clear();
    await loop.pass();
    const requests = loop.lab.kubernetes.log.of({}).map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`);
    const node = `/api/v1/nodes/${dead.address}`;
    expect(requests.slice(-4)).toEqual(['GET /version', 'GET /api', `GET ${node}`, `DELETE ${node}`]);
  });

  it('stays when its kubelet answers at the second of its addresses alone', async () => {
    const address = loop.lab.kubelets.nextAddress();
    loop.lab.kubernetes.patchNode(dead.address, {
      status: { addresses: [dead.address, address].map((each) => ({ type: 'InternalIP', address: each })) },
    });
    loop.lab.kubernetes.faults.add(
      meanwhile(() => loop.lab.kubelets.add(address)),
      { path: /^\/version/, times: 1 },
    );
    expect(detailOf(await loop.pass())).toMatch(`its kubelet is reachable: http://${address}:`);
    expect(loop.writes).toEqual([]);
  });

  it.each([
    ['answers', () => {}, 'orphan'],
    ['answers 500', () => dead.kubelet.misbehave(answerWith(500)), 'orphan'],
  ])('stays when its kubelet %s at the last moment, and its grace starts anew', async (_, act, verdict) => {
    onGet(
      1,
      meanwhile(() => {
        act();
        return dead.kubelet.start();
      }),
    );
    const report = await loop.pass();
    expect(told(report)).toEqual([`deregister ${dead.address}: refused`]);
    expect(detailOf(report)).toMatch(/^its kubelet is reachable: http:.* answered (200|500)$/);
    expect(loop.writes).toEqual([]);
    expect(verdictOf(await loop.pass(), dead.address)).toBe(verdict);
    await dead.kubelet.stop();
    expect(await passesUntilDeleted()).toBe(11);
  });

  it('goes when its kubelet accepts at the last moment and says nothing', async () => {
    dead.kubelet.misbehave(hang);
    onGet(
      1,
      meanwhile(() => dead.kubelet.start()),
    );
    expect(told(await loop.pass())).toEqual([`deregister ${dead.address}: done`]);
  });

  it('stays when Kubernetes calls it Ready at the last moment, and its grace starts anew', async () => {
    beforeTheLastRead(() => loop.lab.kubernetes.setReady(dead.address, true));
    const report = await loop.pass();
    expect(detailOf(report)).toBe('it is reporting again');
    expect(loop.writes).toEqual([]);
    loop.lab.kubernetes.setReady(dead.address, 'unknown');
    expect(await passesUntilDeleted()).toBe(11);
  });

  const cordon = { spec: { unschedulable: true } };
  const uncordon = { spec: { unschedulable: null } };
  const annotation = (value: string | null) => ({ metadata: { annotations: { [KEEP]: value } } });
  const label = (value: string | null) => ({ metadata: { labels: { [KEEP]: value } } });
  it.each([
    ['kept by an annotation', annotation('true'), annotation(null), 'kube-register.io/keep is set'],
    ['kept by a label', label('yes'), label(null), 'kube-register.io/keep is set'],
    ['cordoned', cordon, uncordon, 'it is cordoned'],
  ])('stays while it is %s, from the last moment on, and goes afterwards', async (_, veto, lift, detail) => {
    beforeTheLastRead(() => patch(veto));
    const report = await loop.pass();
    expect([told(report), detailOf(report)]).toEqual([[`deregister ${dead.address}: refused`], detail]);
    expect(verdictOf(await loop.passFor(10 * MINUTE), dead.address)).toBe('vetoed');
    expect(loop.writes).toEqual([]);
    patch(lift);
    // A veto ends the grace period.
    expect(await passesUntilDeleted()).toBe(11);
  });

  it('stays for good when its mark is taken away at the last moment', async () => {
    beforeTheLastRead(() => patch({ metadata: { annotations: { [MACHINE_ID]: null } } }));
    expect(detailOf(await loop.pass())).toBe('its kube-register annotations have changed');
    expect(verdictOf(await loop.passFor(20 * MINUTE), dead.address)).toBe('foreign');
    expect(loop.writes).toEqual([]);
  });

  it('stays when its mark names another machine at the last moment, and is watched anew as a left-over of that one', async () => {
    beforeTheLastRead(() => patch({ metadata: { annotations: { [MACHINE_ID]: alive.id } } }));
    expect(detailOf(await loop.pass())).toBe('its kube-register annotations have changed');
    expect(verdictOf(await loop.pass(), dead.address)).toBe('in-grace');
    expect(await passesUntilDeleted()).toBe(10);
    expect(loop.nodeNames).toContain(alive.address);
  });

  it('stays when it is another node of that name by the last moment, and is watched anew', async () => {
    const annotations = { [MACHINE_ID]: dead.id, 'kube-register.io/address': dead.address };
    beforeTheLastRead(() => loop.lab.kubernetes.putNode({ name: dead.address, annotations, ready: 'unknown' }));
    expect(detailOf(await loop.pass())).toBe('another node has its name now');
    expect(loop.writes).toEqual([]);
    expect(await passesUntilDeleted()).toBe(11);
  });

  it('is no longer asked for when it is gone by the last moment', async () => {
    beforeTheLastRead(() => loop.lab.kubernetes.deleteNode(dead.address));
    const report = await loop.pass();
    expect([told(report), detailOf(report)]).toEqual([[`deregister ${dead.address}: unneeded`], 'it was gone already']);
    await loop.passes(3);
    expect(loop.writes).toEqual([]);
  });

  it('is no failure when it goes between the last check and the delete', async () => {
    loop.lab.kubernetes.faults.add(
      meanwhile(() => loop.lab.kubernetes.deleteNode(dead.address)),
      { method: 'DELETE' },
    );
    expect(told(await loop.pass())).toEqual([`deregister ${dead.address}: unneeded`]);
    expect(loop.nodeNames).toHaveLength(3);
  });

  it('stays when it changes between the last check and the delete, and the next pass checks again', async () => {
    const faults = loop.lab.kubernetes.faults;
    faults.add(
      meanwhile(() => patch({ metadata: { labels: { disk: 'ssd' } } })),
      { method: 'DELETE', times: 1 },
    );
    const report = await loop.pass();
    expect(told(report)).toEqual([`deregister ${dead.address}: refused`]);
    expect(detailOf(report)).toBe('it changed between the last check and the delete');
    expect(loop.nodeNames).toContain(dead.address);
    expect(told(await loop.pass())).toEqual([`deregister ${dead.address}: done`]);
  });

  it.each([
    ['is refused', answerWith(500)],
    ['says something else than a node', change((answer) => ({ ...answer, body: '{}' }))],
  ])('stays when the last check itself %s, and the next pass checks again', async (_, fault) => {
    onGet(
      1,
      meanwhile(() => {}),
    );
    onGet(1, fault);
    const report = await loop.attempt();
    expect(told(report)).toEqual([`deregister ${dead.address}: failed`]);
    expect(detailOf(report)).toContain(`kubernetes at ${loop.lab.kubernetes.url}: GET /api/v1/nodes/${dead.address}: `);
    expect(loop.writes).toEqual([]);
    expect(told(await loop.pass())).toEqual([`deregister ${dead.address}: done`]);
  });

  it('is gone for the next pass when only the answer to its delete was lost', async () => {
    loop.lab.kubernetes.faults.add(loseAnswer, { method: 'DELETE', times: 1 });
    expect(told(await loop.attempt())).toEqual([`deregister ${dead.address}: failed`]);
    expect(told(await loop.pass())).toEqual([]);
    expect(loop.writes).toEqual([`DELETE ${dead.address}`]);
  });
});

describe('a server that ignores preconditions', () => {
  it.each(['uid', 'none'] as const)('(looks at %s) is spared the delete by the check alone', async (preconditions) => {
    await onTheBrink({ preconditions });
    const annotations = { [MACHINE_ID]: dead.id };
    beforeTheLastRead(() => loop.lab.kubernetes.putNode({ name: dead.address, annotations, ready: true }));
    expect(told(await loop.pass())).toEqual([`deregister ${dead.address}: refused`]);
    expect(loop.writes).toEqual([]);
  });

  it.each([
    ['uid', 'refused'],
    ['none', 'done'],
  ] as const)('(looks at %s) decides alone what changes after the check: %s', async (preconditions, result) => {
    await onTheBrink({ preconditions });
    const remake = meanwhile(() => loop.lab.kubernetes.putNode({ name: dead.address }));
    loop.lab.kubernetes.faults.add(remake, { method: 'DELETE' });
    expect(told(await loop.pass())).toEqual([`deregister ${dead.address}: ${result}`]);
    expect(loop.nodeNames.includes(dead.address)).toBe(result === 'refused');
  });
});

describe('a last check during which the daemon is stopped', () => {
  beforeEach(() => onTheBrink());

  it('is not followed by a delete', async () => {
    const report = await endDuringTheLastCheck();
    expect(report.stopped).toBe(true);
    expect(told(report)).toEqual([]);
    expect(loop.writes).toEqual([]);
  });
});
