/** The last check before a delete: what is asked, in which order, and all that speaks against the delete. Also what becomes of a patch that meets a change. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { KubeletState } from '../../../../src/kubelet/kubelet.ts';
import { eraOf } from '../../../../src/kubernetes/era.ts';
import type { NodeRecord, NodeRegistry } from '../../../../src/kubernetes/registry.ts';
import { apply, PassOver } from '../../../../src/reconcile/apply/apply.ts';
import { ADDRESS, MACHINE_ID, MANAGED, OWNER } from '../../../../src/reconcile/evidence/marks.ts';
import type { Adopt, ApplyOptions, Clients, Deregister } from '../../../../src/reconcile/plan/action.ts';
import { TestClock } from '../cluster.ts';
import { ERAS, machine, marked, type NodeTraits, node, planAt, record } from '../world.ts';

const CHECK_TIMEOUT = 2_000;
const LIMIT = CHECK_TIMEOUT + 5_000;

/** The node that is to be deleted; its kubelet is asked at two addresses, at the second of which another node's kubelet lives. */
const doomed: NodeTraits = marked('a', '10.0.0.1', { addresses: ['10.0.0.1', '10.0.0.2'] });
const otherNode: NodeTraits = { ready: 'true', addresses: ['10.0.0.2'] };
const action: Deregister = {
  kind: 'deregister',
  node: node('x', doomed),
  reason: 'machine-gone',
  machineId: 'a',
  endpoints: [
    { address: '10.0.0.1', otherNode: undefined },
    { address: '10.0.0.2', otherNode: node('y', otherNode) },
  ],
  era: ERAS['v1.20'],
  why: 'missing from fleet for 15m of 15m',
};

let clock: TestClock;
let log: string[];
let stored: Map<string, NodeRecord>;
let kubelets: Map<string, KubeletState>;
let era: ReturnType<typeof eraOf>;
let begin: AbortController;
/** Runs while a request is under way. */
let during: (request: string) => void | Promise<void>;

beforeEach(() => {
  clock = new TestClock();
  log = [];
  stored = new Map([
    ['x', record('x', doomed)],
    ['y', record('y', otherNode)],
  ]);
  kubelets = new Map([['10.0.0.2', 'healthy']]);
  era = ERAS['v1.20'];
  begin = new AbortController();
  during = () => {};
});

/** A request, with a turn of the event loop between its beginning and its end. */
async function ask<T>(request: string, answer: () => T): Promise<T> {
  log.push(request);
  await during(request);
  await new Promise((resolve) => setImmediate(resolve));
  log.push(`${request} done`);
  return answer();
}

const unused = () => {
  throw new Error('nobody asks for that here');
};

const nodes: NodeRegistry = {
  list: unused,
  listWhole: unused,
  create: unused,
  identify: () => ask('identify', () => era),
  read: (name) => ask(`read ${name}`, () => stored.get(name)),
  update: unused,
  remove: (name, uid, resourceVersion) =>
    ask(`remove ${name} ${uid} ${resourceVersion}`, () => (stored.delete(name) ? 'removed' : 'gone')),
  close: () => {},
};

const clients = (registry: NodeRegistry = nodes): Clients => ({
  nodes: registry,
  kubelets: {
    check: (address) =>
      ask(`probe ${address}`, () => ({ state: kubelets.get(address) ?? 'silent', detail: `${address} says so` })),
  },
  clock,
});

const limits = (): ApplyOptions => ({
  dryRun: false,
  ownerId: 'default',
  checkTimeoutMs: CHECK_TIMEOUT,
  hungKubelets: [],
  begin: begin.signal,
  finish: new AbortController().signal,
});

/** `done`, or what became of it and why. */
async function outcome(deregister: Deregister = action, registry?: NodeRegistry) {
  const [first, ...others] = await apply([deregister], clients(registry), limits());
  expect(others).toEqual([]);
  return first && { result: first.result, detail: first.detail, alive: first.alive };
}

const isRemoved = () => log.some((request) => request.startsWith('remove'));

function now(name: string, traits: NodeTraits): void {
  stored.set(name, record(name, { ...(name === 'x' ? doomed : otherNode), ...traits }));
}

/** The node is as it was, but for this, and the delete is not sent. */
async function objectionTo(traits: NodeTraits) {
  now('x', traits);
  const found = await outcome();
  expect(isRemoved()).toBe(false);
  return found;
}

describe('the order of requests', () => {
  it('is: which server; then the kubelets at all addresses, the node and the nodes whose kubelets are passed over, side by side; then the delete at once', async () => {
    expect(await outcome()).toMatchObject({ result: 'done' });
    expect(log.slice(0, 2)).toEqual(['identify', 'identify done']);
    const beside = ['probe 10.0.0.1', 'probe 10.0.0.2', 'read x', 'read y'];
    expect(log.slice(2, 6)).toEqual(beside);
    expect(log.slice(6, 10).sort()).toEqual(beside.map((request) => `${request} done`).sort());
    expect(log.slice(10)).toEqual(['remove x uid-x 1', 'remove x uid-x 1 done']);
  });

  it('names the uid and the resourceVersion that were read last, not those of the plan', async () => {
    stored.set('x', { ...record('x', doomed), resourceVersion: '77' });
    await outcome();
    expect(log).toContain('remove x uid-x 77');
  });

  it('asks a node that lives at two of the addresses once', async () => {
    const endpoints = action.endpoints.map(({ address }) => ({
      address,
      otherNode: node('y', { ...otherNode, addresses: ['10.0.0.1', '10.0.0.2'] }),
    }));
    now('y', { addresses: ['10.0.0.1', '10.0.0.2'] });
    await outcome({ ...action, endpoints });
    expect(log.filter((request) => request === 'read y')).toHaveLength(1);
  });
});

describe('a kubelet that answers at the last moment', () => {
  it.each([
    ['10.0.0.1', 'healthy'],
    ['10.0.0.1', 'answers'],
    ['10.0.0.3', 'healthy'],
    ['10.0.0.4', 'answers'],
  ] as const)('keeps its node, at whichever of its addresses: %s %s', async (address, state) => {
    const more = ['10.0.0.3', '10.0.0.4'].map((each) => ({ address: each, otherNode: undefined }));
    kubelets.set(address, state);
    expect(await outcome({ ...action, endpoints: [...action.endpoints, ...more] })).toEqual({
      result: 'refused',
      detail: `its kubelet is reachable: ${address} says so`,
      alive: true,
    });
    expect(isRemoved()).toBe(false);
  });
});

describe('an answer that may be another node’s or this one’s', () => {
  it('keeps the node, though the other node is reporting', async () => {
    const endpoints = action.endpoints.map((place) => ({ ...place, isContested: place.otherNode !== undefined }));
    expect(await outcome({ ...action, endpoints })).toMatchObject({ result: 'refused', alive: true });
    expect(isRemoved()).toBe(false);
  });
});

describe('an answer where another node’s kubelet lives is passed over', () => {
  it('while that node is reporting, and reports the address', async () => {
    expect(await outcome()).toMatchObject({ result: 'done' });
  });

  it.each<[string, () => void]>([
    ['is gone', () => stored.delete('y')],
    ['is another one of its name', () => now('y', { uid: 'another' })],
    ['is no longer reporting', () => now('y', { ready: 'unknown' })],
    ['cannot be read', () => now('y', { ready: 'unreadable' })],
    ['reports another address by now', () => now('y', { addresses: ['10.0.0.9'] })],
    ['reports no address by now', () => now('y', { addresses: [] })],
  ])('but not when that node %s: whose answer is it then?', async (_, change) => {
    change();
    expect(await outcome()).toMatchObject({
      result: 'refused',
      detail: expect.stringContaining('its kubelet is reachable: '),
      alive: true,
    });
    expect(isRemoved()).toBe(false);
  });

  it('and not when that node said False before v1.0, for controllers wrote that of silent kubelets', async () => {
    now('y', { ready: 'false' });
    era = ERAS['v0.17'];
    expect(await outcome({ ...action, era })).toMatchObject({ result: 'refused', alive: true });
  });

  it('while a node that reports no address has it as the node of its machine, or by our annotation', async () => {
    const other = node('y', { ready: 'true', mark: 'b', annotations: { [ADDRESS]: '10.0.0.2' } });
    stored.set('y', record('y', { ready: 'true' }));
    const endpoints = [
      { address: '10.0.0.1', otherNode: undefined },
      { address: '10.0.0.2', otherNode: other },
    ];
    expect(await outcome({ ...action, endpoints })).toMatchObject({ result: 'done' });
  });
});

describe('a node that is not as it was', () => {
  it.each<[string, NodeTraits, string]>([
    ['another one of its name', { uid: 'another' }, 'another node has its name now'],
    ['of another machine', { annotations: { [MACHINE_ID]: 'b' } }, 'its kube-register annotations have changed'],
    ['unmarked', { annotations: { [MACHINE_ID]: '' } }, 'its kube-register annotations have changed'],
    ['of another owner', { owner: 'west' }, 'its kube-register annotations have changed'],
    ['leaving', { leaving: ['x'] }, 'it is being deleted already'],
    ['of a status that cannot be read', { ready: 'unreadable' }, 'its status cannot be read'],
    ['kept by annotation', { annotations: { 'kube-register.io/keep': '' } }, 'kube-register.io/keep is set'],
    ['kept by label', { labels: { 'kube-register.io/keep': 'true' } }, 'kube-register.io/keep is set'],
    ['cordoned', { cordoned: true }, 'it is cordoned'],
    ['of an unreadable cordon', { cordoned: 'cannot tell' }, 'it is cordoned'],
    [
      'reporting an address that was not asked',
      { addresses: ['10.0.0.1', '10.0.0.5'] },
      'it reports address 10.0.0.5 now, which was not checked',
    ],
  ])('is not deleted: it is %s', async (_, traits, detail) => {
    expect(await objectionTo(traits)).toEqual({ result: 'refused', detail, alive: undefined });
  });

  it.each(['true', 'false'] as const)('is not deleted, and is alive: its kubelet posts (%s)', async (ready) => {
    expect(await objectionTo({ ready })).toEqual({
      result: 'refused',
      detail: 'it is reporting again',
      alive: true,
    });
  });

  it('is not deleted when it was read without its status', async () => {
    stored.set('x', { ...record('x', doomed), facts: undefined });
    expect(await outcome()).toMatchObject({ result: 'refused', detail: 'it could not be read completely' });
  });

  it('is gone already: nothing is sent', async () => {
    stored.delete('x');
    expect(await outcome()).toMatchObject({ result: 'unneeded', detail: 'it was gone already' });
    expect(isRemoved()).toBe(false);
  });

  it('is deleted when only fewer addresses or other labels are on it', async () => {
    now('x', { addresses: ['10.0.0.1'], labels: { disk: 'ssd' } });
    expect(await outcome()).toMatchObject({ result: 'done' });
  });
});

describe('another server', () => {
  it('that can do other things is not asked to delete, and nothing else is asked of it', async () => {
    era = ERAS['v0.17'];
    expect(await outcome()).toMatchObject({
      result: 'refused',
      detail: 'the API server has changed to v0.17.1, using API v1beta3',
    });
    expect(log).toEqual(['identify', 'identify done']);
  });

  it('of another patch release is the same server', async () => {
    era = eraOf({ version: 'v1.20.9', apiVersion: 'v1' });
    expect(await outcome()).toMatchObject({ result: 'done' });
  });
});

describe('a check that took too long is discarded', () => {
  const slow = (request: string, pass: () => void) => {
    during = (each) => {
      if (each === request) pass();
    };
  };
  const TOO_LONG = {
    result: 'failed',
    detail: expect.stringMatching(/^the last check took \d+s and is discarded \(limit 7s\)$/),
    alive: undefined,
  };

  it.each(['identify', 'probe 10.0.0.2', 'read x', 'read y'])(
    'by both clocks, whichever request it was: %s',
    async (request) => {
      slow(request, () => clock.advance(LIMIT + 1));
      expect(await outcome()).toEqual(TOO_LONG);
      expect(isRemoved()).toBe(false);
    },
  );

  it('by the sum of its requests', async () => {
    during = (request) => (request === 'identify' || request === 'read x' ? clock.advance(LIMIT / 2 + 1) : undefined);
    expect(await outcome()).toEqual(TOO_LONG);
  });

  it.each(['identify', 'read x'])(
    'by the wall clock alone, for the monotonic clock of a suspended machine stands: %s',
    async (request) => {
      slow(request, () => clock.jump(LIMIT + 1));
      expect(await outcome()).toEqual(TOO_LONG);
      expect(isRemoved()).toBe(false);
    },
  );

  it('by the monotonic clock alone, for the wall clock was set back meanwhile', async () => {
    slow('read x', () => {
      clock.advance(LIMIT + 1);
      clock.jump(-LIMIT - 1);
    });
    expect(await outcome()).toEqual(TOO_LONG);
    expect(isRemoved()).toBe(false);
  });

  it('by a wall clock that was set back: nobody knows how long it took', async () => {
    slow('read x', () => clock.jump(-LIMIT - 1));
    expect(await outcome()).toEqual(TOO_LONG);
  });

  it('but is when it took just as long as it may', async () => {
    slow('read x', () => clock.advance(LIMIT));
    expect(await outcome()).toMatchObject({ result: 'done' });
  });

  it('and a sign of life is taken however late it comes', async () => {
    slow('read x', () => clock.advance(LIMIT + 1));
    kubelets.set('10.0.0.1', 'healthy');
    expect(await outcome()).toMatchObject({ result: 'refused', alive: true });
  });
});

describe('a pass that is over, or a daemon that stops', () => {
  it.each(['identify', 'probe 10.0.0.1', 'read x'])(
    'while the check asks (%s): it counts as failed, and nothing is sent',
    async (request) => {
      during = (each) => {
        if (each === request) begin.abort(new PassOver());
      };
      expect(await outcome()).toMatchObject({ result: 'failed', detail: 'the pass took too long' });
      expect(isRemoved()).toBe(false);
    },
  );

  it('while the check asks: with a daemon that stops it was not begun', async () => {
    during = () => begin.abort();
    expect(await outcome()).toBeUndefined();
    expect(isRemoved()).toBe(false);
  });

  it('before the check: nothing is asked', async () => {
    begin.abort();
    expect(await outcome()).toBeUndefined();
    expect(log).toEqual([]);
  });

  it('after the delete was sent: it is waited for', async () => {
    during = (request) => (request.startsWith('remove') ? begin.abort() : undefined);
    expect(await outcome()).toMatchObject({ result: 'done' });
  });
});

describe('a server that does not answer', () => {
  it.each(['identify', 'read x', 'read y'])('(%s): the delete has failed, and was not sent', async (request) => {
    during = (each) => {
      if (each === request) throw new Error('connection refused');
    };
    expect(await outcome()).toMatchObject({ result: 'failed', detail: 'connection refused' });
    expect(isRemoved()).toBe(false);
  });

  it.each([
    ['changed', 'refused', 'it changed between the last check and the delete'],
    ['gone', 'unneeded', 'it was gone already'],
    ['leaving', 'done', 'it waits for its finalizers'],
  ] as const)('a delete that answers %s is %s', async (answer, result, detail) => {
    expect(await outcome(action, { ...nodes, remove: async () => answer })).toMatchObject({ result, detail });
  });
});

describe('a patch that meets a change', () => {
  const A = machine('a', '10.0.0.1');
  const bare: NodeTraits = { ready: 'true', machineId: 'a', addresses: ['10.0.0.1'] };
  let updates: { resourceVersion: string; labels: object; annotations: object }[];
  let answers: ('updated' | 'conflict' | 'gone')[];

  beforeEach(() => {
    updates = [];
    answers = ['conflict'];
    stored.set('host', { ...record('host', bare), resourceVersion: '9' });
  });

  const registry: NodeRegistry = {
    ...nodes,
    update: async (_name, _uid, resourceVersion, { labels, annotations }) => {
      updates.push({
        resourceVersion,
        labels: Object.fromEntries(labels),
        annotations: Object.fromEntries(annotations),
      });
      return answers.shift() ?? 'updated';
    },
  };

  async function adopted() {
    const [adopt] = planAt(0, {
      machines: [A],
      nodes: [node('host', bare)],
      kubelets: { '10.0.0.1': 'healthy' },
    }).actions;
    if (adopt?.kind !== 'adopt') throw new Error('it is not adopted');
    const [first] = await apply([adopt satisfies Adopt], clients(registry), limits());
    return { result: first?.result, detail: first?.detail };
  }

  it('carries the resourceVersion that it was decided from', async () => {
    answers = [];
    expect(await adopted()).toMatchObject({ result: 'done' });
    expect(updates).toMatchObject([{ resourceVersion: '1' }]);
  });

  it('is read and decided again once, from what is there by now', async () => {
    stored.set('host', { ...record('host', { ...bare, labels: { [MANAGED]: 'true' } }), resourceVersion: '9' });
    expect(await adopted()).toMatchObject({ result: 'done' });
    expect(log).toEqual(['read host', 'read host done']);
    expect(updates).toMatchObject([
      { resourceVersion: '1' },
      { resourceVersion: '9', labels: {}, annotations: { [MACHINE_ID]: 'a' } },
    ]);
  });

  it('is left to the next pass when it meets another change', async () => {
    answers = ['conflict', 'conflict'];
    expect(await adopted()).toEqual({
      result: 'failed',
      detail: 'it changed during both attempts',
    });
    expect(updates).toHaveLength(2);
  });

  it.each<[string, NodeTraits | undefined]>([
    ['gone', undefined],
    ['another node of its name', { ...bare, uid: 'another' }],
    ['leaving', { ...bare, leaving: ['x'] }],
    ['marked for another machine', { ...bare, mark: 'b' }],
    ['managed by another kube-register', { ...bare, mark: 'a', owner: 'west' }],
    [
      'what it should be already, by another copy of this daemon',
      marked('a', '10.0.0.1', { ...bare, origin: 'own-name' }),
    ],
  ])('is needless when the node is %s by now', async (_, traits) => {
    if (traits === undefined) stored.delete('host');
    else stored.set('host', record('host', traits));
    expect((await adopted()).result).toBe('unneeded');
    expect(updates).toHaveLength(1);
  });

  it('writes the owner with the mark, also the second time', async () => {
    await adopted();
    expect(updates.map(({ annotations }) => annotations)).toMatchObject([
      { [OWNER]: 'default' },
      { [OWNER]: 'default' },
    ]);
  });
});
