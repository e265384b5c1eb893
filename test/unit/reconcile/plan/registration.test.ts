/** Which machines are registered, under which name, and which wait because a node may be their own. */
import { describe, expect, it } from 'vitest';
import { ADDRESS, MACHINE_ID, MANAGED, ORIGIN, OWNER, SINCE } from '../../../../src/reconcile/evidence/marks.ts';
import type { Node } from '../../../../src/reconcile/evidence/node.ts';
import type { GivenName } from '../../../../src/reconcile/evidence/pair.ts';
import { fingerprint } from '../../../../src/reconcile/plan/action.ts';
import { EMPTY_MEMORY, type Memory, RETRY_REFUSED_MS } from '../../../../src/reconcile/plan/memory/memory.ts';
import {
  clone,
  ERAS,
  INTERVAL,
  MINUTE,
  machine,
  named,
  node,
  ours,
  planAt,
  told,
  Watch,
  type World,
} from '../world.ts';

const A = machine('a', '10.0.0.1');
const B = machine('b', '10.0.0.2');
const healthy = { '10.0.0.1': 'healthy', '10.0.0.2': 'healthy' } as const;
const up = { ready: 'true' } as const;

const verdictOf = (id: string, world: World, memory: Memory = EMPTY_MEMORY) =>
  planAt(0, world, memory).machines.get(id);

describe('a machine without a node', () => {
  it('is registered with name, address and marks, and nothing that is the kubelet’s to tell', () => {
    const plan = planAt(0, { machines: [A], kubelets: healthy }, EMPTY_MEMORY, { ownerId: 'east' });
    expect(plan.actions).toEqual([
      {
        kind: 'register',
        machine: A,
        draft: {
          name: '10.0.0.1',
          address: '10.0.0.1',
          labels: new Map([[MANAGED, 'true']]),
          annotations: new Map([
            [MACHINE_ID, 'a'],
            [ADDRESS, '10.0.0.1'],
            [SINCE, '2026-01-02T00:00:00.000Z'],
            [ORIGIN, 'named'],
            [OWNER, 'east'],
          ]),
        },
      },
    ]);
    expect(plan.machines.get('a')).toEqual({
      name: 'register',
      reason: 'its kubelet is healthy and it has no node; node name: 10.0.0.1',
      node: '10.0.0.1',
    });
  });

  it.each([
    ['silent', '10.0.0.1 silent', {}],
    ['answers with an error', '10.0.0.1 answers', { kubelets: { '10.0.0.1': 'answers' } }],
    ['was not asked', 'the kubelet at 10.0.0.1 was not checked', { unasked: ['10.0.0.1'], kubelets: healthy }],
  ] as const)('waits while its kubelet is %s', (_, reason, world) => {
    const plan = planAt(0, { machines: [A], ...world });
    expect(plan.actions).toEqual([]);
    expect(plan.machines.get('a')).toEqual({
      name: 'waiting',
      reason,
      next: 'will be registered once its kubelet is healthy',
    });
  });

  it('is none where it does not match, and unusable, which is a warning, where it has no address that can be used', () => {
    const loopback = { ...machine('b', undefined), problem: '127.0.0.1 means this host to everybody' };
    const machines = [machine('a', '10.0.0.1', { role: 'etcd' }), loopback, clone('c', '10.0.0.1', '10.0.0.2')];
    const plan = planAt(0, { machines, kubelets: { ...healthy, '127.0.0.1': 'healthy' } });
    expect(plan.actions).toEqual([]);
    expect([...plan.machines.keys()]).toEqual(['a', 'b', 'c']);
    expect(plan.machines.get('a')).toEqual({
      name: 'not-selected',
      reason: 'its metadata does not match the selector',
    });
    expect(plan.machines.get('b')).toEqual({
      name: 'unusable',
      reason: loopback.problem,
      next: 'not registered; set public_ip in /etc/fleet/fleet.conf of that machine, then: systemctl restart fleet',
      isWarning: true,
    });
    expect(plan.machines.get('c')).toEqual({
      name: 'unusable',
      reason: 'several addresses',
      next: 'not registered; on all of these hosts but one: rm /etc/machine-id && systemd-machine-id-setup && reboot',
      isWarning: true,
    });
  });

  it('goes on being registered while the deletion guard is active', () => {
    const gone = [ours('x', 'x', '10.5.0.1'), ours('y', 'y', '10.5.0.2')];
    const plan = planAt(0, { machines: [A], nodes: gone, kubelets: healthy });
    expect(plan.hold).toBeDefined();
    expect(told(plan)).toEqual(['register 10.0.0.1']);
  });

  it('is registered though another machine’s node reports its address, for all nodes may report one', () => {
    const nodes = [node('host-b', { ...up, machineId: 'b', addresses: ['10.0.0.2', '10.0.0.1'] })];
    expect(told(planAt(0, { machines: [A, B], nodes, kubelets: healthy }))).toEqual([
      'adopt host-b',
      'register 10.0.0.1',
    ]);
  });
});

describe('the name of a registration', () => {
  const hostA = node('host-a', { ...up, machineId: 'a', addresses: ['10.0.0.1'] });

  it('is that of the machine’s last node, if its kubelet chose that name', () => {
    const watch = new Watch();
    watch.pass({ machines: [A], nodes: [hostA], kubelets: healthy });
    const [action] = watch.pass({ machines: [A], kubelets: healthy }).actions;
    expect(action).toMatchObject({
      draft: {
        name: 'host-a',
        annotations: new Map([
          [MACHINE_ID, 'a'],
          [ADDRESS, '10.0.0.1'],
          [SINCE, expect.any(String)],
          [ORIGIN, 'own-name'],
          [OWNER, 'default'],
        ]),
      },
    });
  });

  it('is what NODE_NAME gives now, if NODE_NAME gave the last one too: the machine has moved', () => {
    const watch = new Watch();
    watch.pass({ machines: [A], nodes: [ours('10.0.0.1', 'a', '10.0.0.1', up)], kubelets: healthy });
    const moved = machine('a', '10.0.0.2');
    expect(told(watch.pass({ machines: [moved], kubelets: healthy }))).toEqual(['register 10.0.0.2']);
  });

  it('is what NODE_NAME gives, if another node has the last one by now', () => {
    const watch = new Watch();
    watch.pass({ machines: [A], nodes: [hostA], kubelets: healthy });
    const world = {
      machines: [A, B],
      nodes: [node('host-a', { ...up, uid: 'new', machineId: 'b' })],
      kubelets: healthy,
    };
    expect(told(watch.pass(world))).toContain('register 10.0.0.1');
  });

  it('is what NODE_NAME gives, if the server no longer takes the last one (an upgrade)', () => {
    const watch = new Watch();
    const odd = node('HOST A', { ...up, machineId: 'a', addresses: ['10.0.0.1'] });
    watch.pass({ machines: [A], nodes: [odd], kubelets: healthy, era: ERAS['v0.8'] });
    expect(told(watch.pass({ machines: [A], kubelets: healthy }))).toEqual(['register 10.0.0.1']);
  });

  it.each<[GivenName | undefined, string]>([
    [{ name: 'UPPER' }, '"UPPER" is not a valid node name: '],
    [{ name: 'fd00::1' }, '"fd00::1" is not a valid node name: '],
    [{ name: 'with space' }, '"with space" is not a valid node name: '],
    [{ problem: '10.0.0.1 has no name in the DNS' }, '10.0.0.1 has no name in the DNS'],
    [undefined, 'KUBE_REGISTER_NODE_NAME gives it no name'],
  ])('that the server would refuse, or that there is not, is a verdict and no request: %j', (given, reason) => {
    const names = new Map(given === undefined ? [] : [['a', given] as const]);
    const plan = planAt(0, { machines: [A], kubelets: healthy, names });
    expect(plan.actions).toEqual([]);
    expect(plan.machines.get('a')).toMatchObject({
      name: 'unnamed',
      next: 'not registered without a valid name; KUBE_REGISTER_NODE_NAME says where names come from',
      isWarning: true,
    });
    expect(plan.machines.get('a')?.reason.startsWith(reason)).toBe(true);
  });
});

describe('a machine waits, with the command that clears the way, while an unpaired node may be its own', () => {
  const waits = (nodes: readonly Node[], world: World = {}) => {
    const plan = planAt(0, { machines: [A], kubelets: healthy, nodes, ...world });
    expect(told(plan)).not.toContain('register 10.0.0.1');
    return plan.machines.get('a');
  };
  const next = (name: string) =>
    `will be registered once that node is gone, or matched with it once that node is reporting; if it is not in use: kubectl delete node ${name}`;
  const waiting = (name: string, why: string) => ({
    name: 'waiting',
    reason: `node ${name} ${why}, so it may be the node of this machine`,
    next: next(name),
    isWarning: true,
  });

  it.each([
    [
      'it reports the id, under a name that its kubelet chose',
      { mark: 'a', origin: 'own-name', machineId: 'a', addresses: ['10.7.7.7'] },
      'reports machine ID a',
    ],
    [
      'it reports the id, unmarked, under a name that NODE_NAME would not give',
      { machineId: 'a', addresses: ['10.7.7.7'] },
      'reports machine ID a',
    ],
    [
      'it bears the mark under a name that its kubelet chose',
      { mark: 'a', origin: 'own-name', addresses: ['10.7.7.7'] },
      'has the annotation of machine a',
    ],
    [
      'it bears a mark of a release that wrote no origin',
      { mark: 'a', addresses: ['10.7.7.7'] },
      'has the annotation of machine a',
    ],
    [
      'it is unmarked and reports the address',
      { addresses: ['10.0.0.1'] },
      'is unmanaged and reports address 10.0.0.1',
    ],
    [
      'it has the address under an own name, and fleet does not list its machine: a host booted by PXE has a new id',
      { mark: 'z', origin: 'own-name', addresses: ['10.0.0.1'] },
      'reports address 10.0.0.1',
    ],
    [
      'the same, with the old id',
      { mark: 'z', origin: 'own-name', machineId: 'z', addresses: ['10.0.0.1'] },
      'reports address 10.0.0.1',
    ],
  ] as const)('%s', (_, traits, why) => {
    expect(waits([node('host', traits)])).toEqual(waiting('host', why));
  });

  it.each([
    ['NODE_NAME gave it the name, and it reports another address', { origin: 'named', addresses: ['10.7.7.7'] }],
    ['its kubelet chose the name, and it reports the address of another machine', { addresses: ['10.0.0.2'] }],
  ] as const)('its kubelet posts under its name though %s', (_, traits) => {
    const host = node('host', { ...up, mark: 'a', origin: 'own-name', ...traits });
    const hostB = node('host-b', { ...up, machineId: 'b', addresses: ['10.0.0.2'] });
    expect(waits([host, hostB], { machines: [A, B] })).toEqual({
      name: 'waiting',
      reason: 'node host has the annotation of machine a and is reporting: its kubelet uses that name',
      next: 'will be registered once that node is gone; to rename it, set --hostname-override of its kubelet, then: kubectl delete node host',
      isWarning: true,
    });
  });

  it('also when it is unmarked, reports the address, and has the name of another machine’s address', () => {
    const names = named({ a: '10.0.0.1', b: 'host-b' });
    expect(waits([node('10.0.0.9', { addresses: ['10.0.0.1'] })], { machines: [A, B], names })).toMatchObject({
      name: 'waiting',
    });
  });

  it.each([
    [
      'NODE_NAME gave it the name, so that it went with the address',
      { mark: 'a', origin: 'named', machineId: 'a', addresses: ['10.7.7.7'] },
    ],
    [
      'it is unmarked, has an address for a name, and reports the id: the machine had that address',
      { machineId: 'a', name: '10.7.7.7', addresses: ['10.7.7.7'] },
    ],
    [
      'it reports the address under an own name, and its machine is listed: that one has moved',
      { mark: 'b', origin: 'own-name', addresses: ['10.0.0.1'] },
    ],
    [
      'it reports the address and the id of another listed machine',
      { mark: 'z', origin: 'own-name', machineId: 'b', addresses: ['10.0.0.1'] },
    ],
    [
      'it reports the address, NODE_NAME gave it the name, and fleet does not list its machine: it stood for that one',
      { mark: 'z', origin: 'named', addresses: ['10.0.0.1'] },
    ],
    ['it reports the address of nobody', { addresses: ['10.7.7.7'] }],
    ['it is leaving, and its name is another one', { leaving: ['x'] }],
  ] as const)('but not when %s', (_, traits) => {
    const { name = 'host', ...rest } = { name: 'host', ...traits };
    const plan = planAt(0, { machines: [A, B], kubelets: healthy, nodes: [node(name, rest)] });
    expect(told(plan)).toContain('register 10.0.0.1');
  });

  it('a node of its name that is leaving: the name is taken until it is gone, and the finalizers are named', () => {
    expect(waits([ours('10.0.0.1', 'a', '10.0.0.1', { leaving: ['x/y', 'z'] })])).toEqual({
      name: 'waiting',
      reason: 'node 10.0.0.1 is being deleted and waits for finalizers x/y, z',
      next: "will be registered once it is gone; to see its finalizers: kubectl get node 10.0.0.1 -o jsonpath='{.metadata.finalizers}'",
      isWarning: true,
    });
  });

  it('a leaving node of the name that its last own-name node had', () => {
    const watch = new Watch();
    const hostA = { ...up, machineId: 'a', addresses: ['10.0.0.1'] };
    watch.pass({ machines: [A], nodes: [node('host-a', hostA)], kubelets: healthy });
    const plan = watch.pass({ machines: [A], nodes: [node('host-a', { leaving: ['x'] })], kubelets: healthy });
    expect(told(plan)).toEqual([]);
    expect(plan.machines.get('a')?.reason).toContain('node host-a is being deleted');
  });

  it('and is matched to that node once it is reporting', () => {
    const host = node('host', { ...up, addresses: ['10.0.0.1'] });
    expect(verdictOf('a', { machines: [A], nodes: [host], kubelets: healthy })).toEqual({
      name: 'has-node',
      node: 'host',
      reason: 'node host, matched by address',
    });
  });
});

describe('a machine is in conflict, and nothing is asked of the server', () => {
  const uniqueName = 'not registered; give each machine a name of its own (KUBE_REGISTER_NODE_NAME)';
  const freeName = 'not registered while node 10.0.0.1 exists; if it is not in use: kubectl delete node 10.0.0.1';
  const conflictOf = (id: string, world: World, memory?: Memory) => {
    const plan = planAt(0, { kubelets: healthy, ...world }, memory);
    expect(
      plan.actions.filter(
        ({ kind, machine: each }: { kind: string; machine?: { id: string } }) => kind === 'register' && each?.id === id,
      ),
    ).toEqual([]);
    expect(plan.machines.get(id)).toMatchObject({ name: 'conflict', isWarning: true });
    return plan.machines.get(id);
  };

  it('when another machine’s node has the name that NODE_NAME gives it', () => {
    const nodes = [ours('10.0.0.1', 'b', '10.0.0.2', { ...up, machineId: 'b' })];
    expect(conflictOf('a', { machines: [A, B], nodes })).toMatchObject({
      reason: 'node 10.0.0.1 belongs to machine b',
      next: uniqueName,
    });
  });

  it('when a node of that name exists and does not match this machine', () => {
    const nodes = [node('10.0.0.1', { addresses: ['10.0.0.2'] })];
    expect(conflictOf('a', { machines: [A, B], nodes })).toMatchObject({
      reason: 'node 10.0.0.1 exists and does not match this machine',
      next: freeName,
    });
  });

  it('when another kube-register manages the node of that name', () => {
    const nodes = [node('10.0.0.1', { mark: 'z', owner: 'west', addresses: ['10.0.0.2'] })];
    expect(conflictOf('a', { machines: [A, B], nodes })).toMatchObject({
      reason: 'node 10.0.0.1 is managed by the kube-register with KUBE_REGISTER_OWNER_ID=west',
      next: freeName,
    });
  });

  it('when fleet gives its address to another machine too, whatever that one is; neither is registered', () => {
    for (const other of [
      machine('b', '10.0.0.1'),
      machine('b', '10.0.0.1', { role: 'etcd' }),
      clone('b', '10.0.0.1', '10.0.0.2'),
    ]) {
      const world = { machines: [A, other], names: named({ a: 'name-a', b: 'name-b' }) };
      expect(conflictOf('a', world)).toMatchObject({
        reason: 'fleet lists machine b at its address 10.0.0.1 too',
        next: 'not registered; set public_ip in /etc/fleet/fleet.conf of each of these machines, then: systemctl restart fleet',
      });
      expect(told(planAt(0, { ...world, kubelets: healthy }))).toEqual([]);
    }
  });

  it('when fleet gives its address to two machines more, and both are named', () => {
    const world = { machines: [A, machine('b', '10.0.0.1'), machine('c', '10.0.0.1')] };
    expect(conflictOf('a', world)?.reason).toBe('fleet lists machine b, c at its address 10.0.0.1 too');
  });

  it('when two would be registered under one name: the smallest id is', () => {
    for (const machines of [
      [A, B],
      [B, A],
    ]) {
      const world = { machines, names: named({ a: 'box', b: 'box' }) };
      expect(conflictOf('b', world)).toMatchObject({ reason: 'machine a is registered as box', next: uniqueName });
      expect(told(planAt(0, { ...world, kubelets: healthy }))).toEqual(['register box']);
    }
  });

  it('when another machine has the better claim to the only node that it claims', () => {
    const nodes = [node('host', { ...up, mark: 'b', addresses: ['10.0.0.1', '10.0.0.2'] })];
    expect(conflictOf('a', { machines: [A, B], nodes })).toMatchObject({
      reason: 'node host belongs to machine b',
      next: uniqueName,
    });
  });

  it('when several nodes claim it alike: all are named, with the one that was its own last and the command', () => {
    const one = node('one', { ...up, machineId: 'a', addresses: ['10.0.0.1'] });
    const two = node('two', { ...up, machineId: 'a', addresses: ['10.0.0.1'] });
    const watch = new Watch();
    watch.pass({ machines: [A], nodes: [two], kubelets: healthy });
    expect(conflictOf('a', { machines: [A], nodes: [one, two] }, watch.memory)).toMatchObject({
      reason: 'several nodes match it by machine ID and none better than the others: one, two; its last node was two',
      next: 'none of them is deregistered; for each node that is not in use: kubectl delete node NAME',
    });
    expect(conflictOf('a', { machines: [A], nodes: [one, two] })?.reason).toBe(
      'several nodes match it by machine ID and none better than the others: one, two',
    );
  });
});

describe('a registration that others undo', () => {
  const world = { machines: [A], kubelets: healthy };
  const registered = { ...world, nodes: [ours('10.0.0.1', 'a', '10.0.0.1', up)] };
  /** As the reconciler remembers it once it has registered the machine so often. */
  const done = (times: number, atMs: number): Memory => ({
    ...EMPTY_MEMORY,
    writes: new Map([['register a', { values: new Map([['name', '10.0.0.1']]), times, atMs, missingAtMs: undefined }]]),
  });

  it.each([
    [1, 0],
    [2, 1],
    [3, 2],
    [4, 4],
    [5, 8],
    [6, 16],
    [7, 32],
    [8, 60],
    [20, 60],
  ])('%d times waits %d minutes since the last time', (times, minutes) => {
    const memory = done(times, 0);
    if (minutes > 0) {
      expect(told(planAt(minutes * MINUTE - 1, world, memory))).toEqual([]);
      expect(planAt(0, world, memory).machines.get('a')).toMatchObject({
        name: 'undone',
        dueInMs: minutes * MINUTE,
        isWarning: true,
      });
    }
    expect(told(planAt(minutes * MINUTE, world, memory))).toEqual(['register 10.0.0.1']);
  });

  it('is told of with what was undone, how often, and who may have done it', () => {
    expect(planAt(0, world, done(3, 0)).notes).toEqual([
      {
        kind: 'undone',
        key: 'register a 3',
        text: 'something else deleted node 10.0.0.1 3 times; registered again in 2m; find out what does it: a cloud controller deletes nodes that it does not know',
      },
    ]);
    expect(planAt(0, world, done(2, 0)).machines.get('a')).toMatchObject({
      reason: 'something else deleted its node 10.0.0.1 2 times after it was registered',
      next: 'will be registered again in 1m; find out what deletes it: a cloud controller deletes nodes that it does not know',
    });
  });

  it('is forgotten once the node has stood for an hour, and not a moment earlier', () => {
    const memory = done(4, 0);
    expect(planAt(60 * MINUTE, registered, memory).memory.writes.size).toBe(1);
    expect(planAt(60 * MINUTE + 1, registered, memory).memory.writes.size).toBe(0);
  });

  it('is not forgotten while the node is missing', () => {
    const missing = planAt(59 * MINUTE, world, done(8, 0));
    expect(missing.memory.writes.get('register a')).toMatchObject({ times: 8, missingAtMs: 59 * MINUTE });
    expect(planAt(118 * MINUTE, registered, missing.memory).memory.writes.size).toBe(1);
  });

  it('starts anew under another name', () => {
    expect(told(planAt(0, { ...world, names: named({ a: 'box' }) }, done(5, 0)))).toEqual(['register box']);
  });

  it('is none of the machine’s own: a node that was seen silent was rightly deleted, whoever did it', () => {
    const by = [ours('10.9.9.9', 'by', '10.9.9.9', { ...up, machineId: 'by' })];
    const heard = planAt(0, { ...registered, nodes: [...registered.nodes, ...by] }, done(4, 0));
    const silent = { machines: [A], nodes: [ours('10.0.0.1', 'a', '10.0.0.1'), ...by] };
    const seenSilent = planAt(INTERVAL, silent, heard.memory);
    expect(seenSilent.nodes.get('10.0.0.1')?.name).toBe('in-grace');
    const back = planAt(2 * INTERVAL, { ...world, nodes: by }, seenSilent.memory);
    expect(told(back)).toContain('register 10.0.0.1');
    expect(back.notes.filter(({ kind }) => kind === 'undone')).toEqual([]);
  });

  it('is not noticed on servers before v0.9, which hide minions', () => {
    expect(told(planAt(0, { ...world, era: ERAS['v0.8'] }, done(5, 0)))).toEqual(['register 10.0.0.1']);
  });
});

describe('a registration that the server refused', () => {
  it('is asked again after ten minutes, or as soon as it says something else', () => {
    const world = { machines: [A], kubelets: healthy };
    const [action] = planAt(0, world).actions;
    const refused = new Map(action === undefined ? [] : [[fingerprint(action), RETRY_REFUSED_MS] as const]);
    const plan = planAt(INTERVAL, world, { ...EMPTY_MEMORY, refused });
    expect(plan.actions).toEqual([]);
    expect(plan.machines.get('a')).toEqual({
      name: 'refused',
      reason: 'the API server refused to create node 10.0.0.1',
      next: 'retried within 10m, or as soon as the request differs; the log has the answer of the API server',
      isWarning: true,
    });
    const renamed = { ...world, names: named({ a: 'box' }) };
    expect(planAt(INTERVAL, renamed, plan.memory).machines.get('a')?.name).toBe('register');
    expect(planAt(RETRY_REFUSED_MS - 1, world, plan.memory).machines.get('a')?.name).toBe('refused');
    expect(planAt(RETRY_REFUSED_MS, world, plan.memory).machines.get('a')?.name).toBe('register');
  });

  it('though it exists, on a server that hides minions, is `hidden` with the address that the server asks', () => {
    const memory = { ...EMPTY_MEMORY, hidden: new Map([['10.0.0.1', RETRY_REFUSED_MS]]) };
    expect(verdictOf('a', { machines: [A], kubelets: healthy, era: ERAS['v0.8'] }, memory)).toEqual({
      name: 'hidden',
      reason:
        'registered as 10.0.0.1, but the API server (v0.8.4, using API v1beta2) does not list it: ' +
        'it lists a minion only while it reaches its kubelet at http://10.0.0.1:10250/healthz',
      next: 'check that URL from the machine of the API server; will be registered again within 10m if it is still not listed',
      isWarning: true,
    });
  });
});

describe('a node that is matched by annotation alone', () => {
  const held = (addresses: readonly string[]) =>
    verdictOf('a', {
      machines: [A],
      nodes: [ours('host-1', 'a', '10.0.0.1', { origin: 'own-name', ...up, addresses })],
    });

  it('is a warning where it reports an address that is its own: it may be the node of another host', () => {
    expect(held(['10.0.0.7', '10.0.0.8'])).toEqual({
      name: 'has-node',
      node: 'host-1',
      reason:
        'node host-1, matched by annotation alone: the node reports 10.0.0.7, 10.0.0.8, and fleet lists the machine at 10.0.0.1',
      next: 'kept; if it is the node of another host: kubectl annotate node host-1 kube-register.io/machine-id-',
      isWarning: true,
    });
  });

  it('is none where it reports no address', () => {
    expect(held([])?.isWarning).toBeUndefined();
  });
});

it('a machine whose node another kube-register manages is a warning with the command', () => {
  const theirs = node('host-a', { ...up, mark: 'a', owner: 'west', machineId: 'a' });
  expect(verdictOf('a', { machines: [A], nodes: [theirs] })).toEqual({
    name: 'has-node',
    node: 'host-a',
    reason: 'node host-a, matched by machine ID, is managed by the kube-register with KUBE_REGISTER_OWNER_ID=west',
    next: 'kept; to manage it here: kubectl annotate --overwrite node host-a kube-register.io/owner=default',
    isWarning: true,
  });
});

it.each([
  ['machine ID', 'host', { machineId: 'a' }],
  ['address', 'host', { addresses: ['10.0.0.1'] }],
  ['name', '10.0.0.1', {}],
  ['annotation', 'host', { mark: 'a', origin: 'own-name' }],
] as const)('a machine that is matched by %s says so', (by, name, traits) => {
  expect(verdictOf('a', { machines: [A], nodes: [node(name, { ...up, ...traits })] })).toEqual({
    name: 'has-node',
    node: name,
    reason: `node ${name}, matched by ${by}`,
  });
});
