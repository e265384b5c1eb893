/** Documents of /status for tests: all is well with nothing in it, but for what a test says. */
import type { MachineStatus, NodeStatus, PastAction, Status } from '../../../src/status/document.ts';

export const NOW = '2026-01-02T00:05:00.000Z';
const SINCE = '2026-01-01T00:00:00.000Z';

export function aStatus(traits: Partial<Status> = {}): Status {
  return {
    version: '1.2.3',
    clusterName: null,
    source: 'daemon',
    dryRun: false,
    startedAt: SINCE,
    now: NOW,
    rules: {
      selector: 'role=kubernetes',
      neverDeregister: null,
      adopt: true,
      ownerId: 'default',
      missingGraceMs: 15 * 60_000,
      unhealthyGraceMs: 30 * 60_000,
      maxDeregisterPercent: 34,
      intervalMs: 30_000,
    },
    pass: {
      number: 7,
      running: false,
      last: { startedAt: '2026-01-02T00:04:50.000Z', durationMs: 800, failures: {}, actions: [] },
      lastSuccess: '2026-01-02T00:04:50.800Z',
      next: '2026-01-02T00:05:20.000Z',
    },
    fleet: { endpoint: 'unix:///var/run/fleet.sock', ...(traits.counts === null ? NOT_ASKED : REACHABLE) },
    kubernetes: {
      endpoint: 'http://127.0.0.1:8080',
      ...(traits.counts === null ? NOT_ASKED : REACHABLE),
      server: null,
    },
    guard: INACTIVE,
    warnings: [],
    counts: {
      machines: { listed: 12, matched: 12, healthy: 12, silent: 0 },
      nodes: { keep: 12 },
      managed: 12,
      held: 0,
      undone: 0,
    },
    machines: [],
    nodes: [],
    history: [],
    ...traits,
  };
}

/** The deletion guard. */
export const INACTIVE: Status['guard'] = {
  held: false,
  since: null,
  message: null,
  kind: null,
  gone: null,
  managed: null,
  nodes: [],
};

const NOT_ASKED = { up: null, since: null, problem: null, slowMs: null };
const REACHABLE = { up: true, since: SINCE, problem: null, slowMs: null };

export function aMachine(traits: Partial<MachineStatus> & Pick<MachineStatus, 'id'>): MachineStatus {
  return {
    addresses: ['10.0.0.1'],
    metadata: {},
    matches: true,
    kubelet: null,
    node: null,
    verdict: 'has-node',
    reason: '',
    warning: false,
    since: SINCE,
    next: null,
    due: null,
    ...traits,
  };
}

/** Of a node that is not alive. */
export const EVIDENCE: NonNullable<NodeStatus['evidence']> = {
  fleet: 'matches',
  kubelet: 'silent',
  kubeletDetail: '',
  node: 'unknown',
  alive: false,
  answeredAt: [],
  successor: null,
};

export function aNode(traits: Partial<NodeStatus> & Pick<NodeStatus, 'name'>): NodeStatus {
  return {
    uid: `uid of ${traits.name}`,
    mark: null,
    otherOwner: null,
    managedSince: null,
    origin: 'managed',
    machine: null,
    reportedId: null,
    nameOrigin: null,
    ready: null,
    leaving: null,
    veto: null,
    addresses: [],
    evidence: EVIDENCE,
    verdict: 'keep',
    reason: '',
    warning: false,
    since: SINCE,
    next: null,
    due: null,
    ...traits,
  };
}

export function aPastAction(traits: Partial<PastAction> & Pick<PastAction, 'node'>): PastAction {
  return {
    at: NOW,
    firstAt: traits.at ?? NOW,
    times: 1,
    inPass: 1,
    kind: 'register',
    machine: null,
    result: 'done',
    reason: '',
    ...traits,
  };
}
