/** Judges a pass as a whole: what it saw, what it said of every machine and node, and what it did. */
import type { NodeDraft } from '../../src/kubernetes/registry.ts';
import type { Machine } from '../../src/reconcile/machines.ts';
import type { PassReport } from '../../src/reconcile/reconciler.ts';
import type { CopyRecord } from './copy-record.ts';
import { type Court, isDry } from './court.ts';
import { ADDRESS, type Judgement, judge, LABELS, MACHINE_ID, MANAGED, markOf, SINCE } from './oracle.ts';
import type { StoredNode } from './world.ts';

const FUTILE_MS = 10 * 60_000;

type Seen = NonNullable<PassReport['seen']>;

/** Judges the pass as a whole. */
export function judgePass(court: Court, copy: number, record: CopyRecord, report: PassReport): void {
  const most = 20 + 8 * (court.world.nodes.size + court.world.hosts.length);
  court.expect(
    record.requests <= most,
    '9: requests in a pass are bounded',
    () => `copy ${copy} sent ${record.requests}`,
  );
  const { seen } = report;
  if (seen === undefined) {
    court.expect(record.writes === 0, '2: a failed observation changes nothing', () => `copy ${copy} wrote`);
    court.count('observation failed');
    return;
  }
  court.expect(
    !isDry(court.conditions, copy) || record.writes === 0,
    '4: DRY_RUN=true applies nothing',
    () => `copy ${copy} wrote`,
  );
  record.meet(seen.observation.era.server);
  judgeSight(court, copy, record, seen);
  const judgement = judgeVerdicts(court, copy, record, seen);
  judgeActions(court, copy, record, report, judgement);
  for (const removed of record.removed) judgeRemoval(court, copy, record, removed, judgement);
  remember(court, record, report, judgement);
}

/** What the plan rests on has to be what was heard on the wire. */
function judgeSight(court: Court, copy: number, record: CopyRecord, { observation }: Seen): void {
  const { machines, nodes, kubelets } = observation;
  const listed = [...record.machines.keys()].sort().join();
  court.expect(
    [...machines.keys()].sort().join() === listed,
    '2: every machine that fleet lists',
    () => `copy ${copy} saw ${machines.size} machines of ${listed}`,
  );
  for (const [id, records] of record.machines) {
    const addresses = new Set(records.flatMap(({ address }) => address ?? []));
    const only = addresses.size === 1 ? [...addresses][0] : undefined;
    court.expect(machines.get(id)?.address === only, '2: one id with two addresses is no candidate', () => {
      return `copy ${copy} takes machine ${id} to be at ${machines.get(id)?.address}, and fleet says ${[...addresses].join(', ')}`;
    });
  }
  for (const { uid, name } of nodes) {
    court.expect(
      record.sightings.has(uid),
      '2: which nodes are registered',
      () => `copy ${copy} saw no node ${name} in this pass`,
    );
    court.expect(
      record.read.has(uid),
      '3: a node is read whole when its uid is new',
      () => `copy ${copy} never read node ${name}`,
    );
  }
  for (const address of kubelets.keys()) {
    court.expect(
      record.kubelets.has(address),
      '4: the kubelet is asked',
      () => `copy ${copy} did not ask ${address} in this pass`,
    );
  }
}

function judgeVerdicts(court: Court, copy: number, record: CopyRecord, { observation, plan }: Seen): Judgement {
  const { policy, namedBy } = court.conditions;
  const nowMs = plan.memory.lastGoodMs ?? 0;
  const elapsedMs = record.lastGoodMs === undefined ? 0 : Math.min(nowMs - record.lastGoodMs, 2 * policy.intervalMs);
  const { watches, lastNames } = record;
  const judgement = judge(
    observation,
    { watches, lastNames, elapsedMs, futile: (machine, name) => futile(record, machine, name, nowMs) },
    policy,
    namedBy,
  );
  const what = (of: string, is: string | undefined, right: string) =>
    `copy ${copy} says ${is ?? 'nothing'} of ${of}, and right is ${right}`;
  court.expect(
    (plan.hold !== undefined) === judgement.isHeld,
    '4: mass guard',
    () => `copy ${copy} ${judgement.isHeld ? 'does not hold' : 'holds'}`,
  );
  for (const [id, right] of judgement.machines) {
    const verdict = plan.machines.get(id);
    court.count(`verdict ${verdict?.name}`);
    const isRight = verdict?.name === right.verdict && (right.node === undefined || verdict.node === right.node);
    court.expect(isRight, "3: which node is a machine's, and when one is registered", () => {
      return what(`machine ${id}`, `${verdict?.name} ${verdict?.node ?? ''}`, `${right.verdict} ${right.node ?? ''}`);
    });
  }
  for (const [name, right] of judgement.nodes) {
    const verdict = plan.nodes.get(name)?.name ?? 'nothing';
    court.count(`verdict ${verdict}`);
    court.expect(right.includes(verdict), '4: the verdict of a node', () =>
      what(`node ${name}`, verdict, right.join(' or ')),
    );
  }
  for (const [name, addresses] of judgement.unasked) {
    court.expect(
      false,
      '4: the kubelet is asked at its address',
      () => `copy ${copy} did not ask ${addresses.join(', ')} about node ${name}`,
    );
  }
  for (const name of judgement.unread) {
    court.expect(
      false,
      '4: Kubernetes calls the node Ready, or does not',
      () => `copy ${copy} did not read node ${name}, whose kubelet is silent`,
    );
  }
  return judgement;
}

function futile(
  { refused, hidden }: CopyRecord,
  machine: Machine,
  name: string,
  nowMs: number,
): 'refused' | 'hidden' | undefined {
  if ((refused.get(requestOf(machine, name)) ?? 0) > nowMs) return 'refused';
  return (hidden.get(name) ?? 0) > nowMs ? 'hidden' : undefined;
}

/** What was done is what the verdicts say, and no more. */
function judgeActions(
  court: Court,
  copy: number,
  record: CopyRecord,
  { outcomes, stopped, seen }: PassReport,
  judgement: Judgement,
): void {
  for (const { action, result, detail = '' } of outcomes) {
    court.count(`${action.kind} ${result}`);
    if (action.kind !== 'deregister') continue;
    if (result === 'done') court.count(`deregistered: ${action.reason}`);
    // Of an answer the rest tells which.
    if (result === 'refused') court.count(`last look: ${detail.replace(/(after all): .*/, '$1')}`);
  }
  if (judgement.isHeld) court.count('held');
  const failed = outcomes.filter(({ result }) => result === 'failed').length;
  court.expect(
    stopped || failed <= record.failures,
    '4: every write is harmless when the other copy has done it already',
    () => `copy ${copy} failed ${failed} times, the servers ${record.failures} times`,
  );

  const verdictsOf = (wanted: string) =>
    [...(seen?.plan.nodes ?? [])].filter(([, { name }]) => name === wanted).map(([name]) => name);
  const registering = [...judgement.machines.values()]
    .filter(({ verdict }) => verdict === 'register')
    .map(({ node }) => node);
  const names = (kind: string) =>
    outcomes.flatMap(({ action }) =>
      action.kind !== kind ? [] : action.kind === 'register' ? action.draft.name : action.node.name,
    );
  const isAll = (done: readonly (string | undefined)[], wanted: readonly (string | undefined)[]) =>
    done.every((name) => wanted.includes(name)) && (stopped || wanted.every((name) => done.includes(name)));
  court.expect(
    isAll(names('register'), registering),
    '3: a candidate without a node, whose kubelet is healthy, is registered',
    () => {
      return `copy ${copy} registers ${names('register')}, and right is ${registering}`;
    },
  );
  const leaving = verdictsOf('deregister');
  court.expect(
    isAll(names('deregister'), leaving),
    '4: what is deregistered',
    () => `copy ${copy} deregisters ${names('deregister')}, and its verdicts say ${leaving}`,
  );
  const pace = Math.max(1, Math.floor(judgement.managed / 100));
  court.expect(
    leaving.length <= pace,
    '4: at most 1 % of the managed nodes, and at least one',
    () => `copy ${copy} deregisters ${leaving.length} of ${judgement.managed}`,
  );
  const plannedAtMs = seen?.plan.memory.lastGoodMs ?? 0;
  const nodeOf = (name: string) => seen?.observation.nodes.find((node) => node.name === name);
  const watchOf = (name: string) => judgement.watches.get(nodeOf(name)?.uid ?? '');
  for (const name of verdictsOf('queued')) {
    const waits = watchOf(name);
    const isFutile = (record.refused.get(`deregister ${nodeOf(name)?.uid}`) ?? 0) > plannedAtMs;
    if (waits === undefined || waits.failures > 0 || isFutile) continue;
    court.expect(
      leaving.length > 0,
      '4: deregister after the grace',
      () => `copy ${copy} lets ${name} wait and deregisters none`,
    );
    for (const other of leaving.map(watchOf)) {
      court.expect(
        other !== undefined && (other.failures > 0 || other.ms >= waits.ms),
        '4: longest gone first',
        () => `copy ${copy} deregisters one gone for ${other?.ms} ms before one gone for ${waits.ms} ms`,
      );
    }
  }
  for (const [name, rival] of record.rivals) {
    // A list of metadata does not tell that another machine's node has changed its machine (section 3 reads again those without one).
    const isAnothers = seen?.observation.resolution.byNode.has(rival) === true;
    if (isAnothers) court.count("registered beside another machine's node that reports it");
    court.expect(
      isAnothers,
      '3: no phantom node is made beside a kubelet that registered itself',
      () => `copy ${copy} creates ${name} for a machine that has the node ${rival}`,
    );
  }
  for (const [name, draft] of record.created) judgeDraft(court, copy, name, draft, record);
}

function judgeDraft(
  court: Court,
  copy: number,
  name: string,
  { address, labels, annotations }: NodeDraft,
  record: CopyRecord,
): void {
  const id = annotations.get(MACHINE_ID) ?? '';
  const machine = record.machines.get(id)?.at(-1);
  const marks = [
    annotations.get(ADDRESS) === address,
    annotations.has(SINCE),
    record.machines.get(id)?.some((each) => each.address === address) === true,
    labels.get(MANAGED) === 'true' || court.world.release.era.hidesMinions,
  ];
  court.expect(
    marks.every((isSo) => isSo),
    '3: it gets name, address, marks and labels',
    () => `copy ${copy} creates ${name} with ${JSON.stringify([address, ...annotations, ...labels])}`,
  );
  const copied = [...labels].filter(([key]) => key !== MANAGED);
  for (const [key, value] of copied) {
    const original = machine?.metadata.get(key) ?? '';
    const isRight =
      court.conditions.policy.nodeLabels.includes(key) && /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/.test(value);
    const isSame = value === original || !/^[A-Za-z0-9]+$/.test(original);
    court.expect(
      isRight && isSame,
      '3: NODE_LABELS copies fleet metadata keys to node labels, cleaned to label syntax',
      () => `copy ${copy} gives ${name} the label ${key}=${value}, of ${original}`,
    );
  }
  const keys = annotations.get(LABELS) ?? '';
  court.expect(
    keys ===
      copied
        .map(([key]) => key)
        .sort()
        .join(),
    '3: the annotation labels lists the keys that we wrote',
    () => `copy ${copy} creates ${name} with labels=${keys}`,
  );
}

function judgeRemoval(
  court: Court,
  copy: number,
  record: CopyRecord,
  node: StoredNode,
  { watches, graces, isHeld }: Judgement,
): void {
  const expect = (isSo: boolean, rule: string, what: string) =>
    court.expect(isSo, `4: ${rule}`, () => `copy ${copy} deletes ${node.name}, ${what}`);
  const watch = watches.get(node.uid);
  expect(!isHeld, 'nothing is deregistered while too many look gone', 'while it should hold');
  expect(
    watch !== undefined,
    'while the kubelet answers or Kubernetes calls it Ready, a node is never deregistered',
    'which it saw alive',
  );
  const graceMs = graces.get(node.name) ?? 0;
  expect((watch?.ms ?? 0) >= graceMs, 'grace is watched time', `watched for ${watch?.ms} ms of ${graceMs}`);
  expect((watch?.passes ?? 0) >= 3, 'three good passes in a row must have seen the row', `seen in ${watch?.passes}`);
  // A host that was installed anew is another machine, and of two with one address nobody can tell which of them answers.
  const places = [...node.addresses, node.annotations.get(ADDRESS) ?? ''];
  const keeper = [...record.kubelets].find(
    ([address, { host }]) =>
      host !== undefined &&
      places.includes(address) &&
      host.nodeName === node.name &&
      host.machineId === markOf(node) &&
      !court.world.hosts.some((other) => other !== host && other.isOn && other.address === host.address),
  );
  expect(
    keeper === undefined,
    'while the kubelet answers, a node is never deregistered',
    `whose kubelet it heard at ${keeper?.[0]}`,
  );
}

function remember(
  court: Court,
  record: CopyRecord,
  { seen, outcomes }: PassReport,
  { watches, isHeld, machines }: Judgement,
): void {
  if (seen === undefined) return;
  const { observation, plan } = seen;
  record.lastGoodMs = plan.memory.lastGoodMs;
  for (const [id, { verdict, node }] of machines)
    if (verdict === 'has-node' && node !== undefined) record.lastNames.set(id, node);
  record.unlisted = new Map(
    observation.nodes.flatMap((node) => {
      const mark = markOf(node);
      return mark === undefined || record.machines.has(mark)
        ? []
        : [[mark, (record.unlisted.get(mark) ?? 0) + 1] as const];
    }),
  );
  for (const { name } of observation.nodes) record.hidden.delete(name);
  // No grace runs during a hold, and all start anew when it ends.
  const kept = new Map(isHeld ? [] : watches);
  for (const { action, result, alive, futile } of outcomes) {
    const untilMs = court.world.nowMs + FUTILE_MS;
    if (action.kind === 'deregister') {
      if (futile !== undefined) record.refused.set(`deregister ${action.node.uid}`, untilMs);
      const watch = kept.get(action.node.uid);
      if (alive === true) kept.delete(action.node.uid);
      else if (watch !== undefined && (result === 'failed' || result === 'refused'))
        kept.set(action.node.uid, { ...watch, failures: watch.failures + 1 });
    }
    if (action.kind !== 'register') continue;
    if (futile !== undefined && result === 'failed')
      record.refused.set(requestOf(action.machine, action.draft.name), untilMs);
    const isStored = result === 'unneeded' || (result === 'done' && observation.unlistable !== undefined);
    if (observation.era.hidesMinions && isStored) record.hidden.set(action.draft.name, untilMs);
  }
  record.watches = kept;
}

/** The same for equal requests to create a node: the time of registration does not make it another. */
function requestOf({ id, metadata }: Machine, name: string): string {
  return `${id} ${name} ${metadata.get('zone') ?? ''}`;
}
