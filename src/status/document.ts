/** The schema of the status document, which /status serves. Its fields are a contract. */
import * as z from 'zod';

/** ISO 8601. */
const moment = z.iso.datetime();
/** Null where it is unknown or has not happened. */
const time = moment.nullable();
const text = z.string().nullable();

const kubelet = z.object({
  state: z.enum(['healthy', 'answers', 'silent']),
  /** The URL and the answer. */
  detail: z.string(),
  /** When this process first saw it in this state without interruption. */
  since: time,
});

const verdict = z.object({
  /** One of the words of `src/reconcile/plan/verdict.ts`. */
  verdict: z.string(),
  reason: z.string(),
  /** Something is wrong that a person should know of. */
  warning: z.boolean(),
  since: time,
  /** What happens next, or what a person does about it; null where there is nothing. */
  next: text,
  /** When that happens if nothing changes. */
  due: time,
});

const machine = verdict.extend({
  id: z.string(),
  addresses: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
  matches: z.boolean(),
  /** The kubelet at its address; null when it was not checked. */
  kubelet: kubelet.nullable(),
  /** The name of its node. */
  node: text,
});

/** The Ready condition of a node; `unreadable` is a status of an unknown shape. */
const READY = ['true', 'false', 'unknown', 'none', 'unreadable'] as const;
const ready = z.enum(READY);

const node = verdict.extend({
  name: z.string(),
  uid: z.string(),
  /** The machine id in its kube-register annotations; null where it is unmanaged. */
  mark: text,
  /** OWNER_ID of another kube-register that manages it. */
  otherOwner: text,
  /** When it was registered or adopted, from its annotations. */
  managedSince: text,
  /** How it became managed; `managed` where this process did not do it. */
  origin: z.enum(['registered', 'adopted', 'managed', 'unmarked']),
  /** The id of the machine that is matched with it. */
  machine: text,
  /** The machine ID that its kubelet reports; null where it was never read. */
  reportedId: text,
  addresses: z.array(z.string()),
  /** Where its name comes from, from its annotations: NODE_NAME or its kubelet. */
  nameOrigin: z.enum(['named', 'own-name']).nullable(),
  /** Its Ready condition, read at most ten minutes ago; null where it was never read. */
  ready: ready.nullable(),
  /** When it was deleted, and the finalizers that it waits for. */
  leaving: z.object({ since: z.string(), finalizers: z.array(z.string()) }).nullable(),
  /** By what an operator keeps it; `unreadable` is a `spec.unschedulable` of an unknown shape. */
  veto: z.enum(['keep', 'cordoned', 'unreadable']).nullable(),
  /** What tells whether it is alive; null for an unmanaged node without a machine. */
  evidence: z
    .object({
      fleet: z.enum(['matches', 'no-match', 'not-listed']),
      kubelet: z.enum(['healthy', 'answers', 'silent', 'unasked']),
      kubeletDetail: z.string(),
      /** `unread`: not read in the last pass, because its kubelet answered. */
      node: z.enum([...READY, 'unread']),
      alive: z.boolean(),
      /** The addresses at which its kubelet was reachable for this process. */
      answeredAt: z.array(z.string()),
      /** The name of another node of its machine that is reporting. */
      successor: text,
    })
    .nullable(),
});

const action = z.object({
  /** The last time, where it was repeated with the same result. */
  at: moment,
  firstAt: moment,
  /** How many times in succession it was tried with this result. */
  times: z.number(),
  /** How many actions of this kind had this result in the same pass; not all of them are in the history. */
  inPass: z.number(),
  kind: z.enum(['register', 'adopt', 'deregister']),
  node: z.string(),
  machine: text,
  result: z.enum(['done', 'unneeded', 'refused', 'failed']),
  /** Why it was planned, and the cause of the result. */
  reason: z.string(),
});

const server = z.object({
  /** Its URL, as it is set: `unix:///var/run/fleet.sock`, `https://10.0.0.1:6443`. */
  endpoint: z.string(),
  up: z.boolean().nullable(),
  since: time,
  problem: text,
  /** The longest answer in the last pass, ms, if it took at least half of the timeout. */
  slowMs: z.number().nullable(),
});

const pass = z.object({
  startedAt: moment,
  durationMs: z.number(),
  /** By cause: fleet, kubernetes, timeout or internal. */
  failures: z.record(z.string(), z.string()),
  actions: z.array(z.object({ kind: z.string(), node: z.string(), result: z.string(), detail: text })),
});

export const statusDocument = z.object({
  version: z.string(),
  /** CLUSTER_NAME; null where it is not set. */
  clusterName: text,
  /** Who observed it: a daemon, which also acts; or one pass of a command, which changes nothing and knows no times. */
  source: z.enum(['daemon', 'observation']),
  dryRun: z.boolean(),
  startedAt: moment,
  now: moment,
  /** The settings that verdicts depend on. Grace periods in ms, null is never. */
  rules: z.object({
    selector: z.string(),
    /** The setting that forbids deregistration, or why the API server cannot delete nodes; or null. */
    neverDeregister: text,
    adopt: z.boolean(),
    ownerId: z.string(),
    missingGraceMs: z.number().nullable(),
    unhealthyGraceMs: z.number().nullable(),
    maxDeregisterPercent: z.number(),
    intervalMs: z.number(),
  }),
  pass: z.object({
    /** The number of passes that have ended since the start. */
    number: z.number(),
    running: z.boolean(),
    last: pass.nullable(),
    lastSuccess: time,
    next: time,
  }),
  fleet: server,
  kubernetes: server.extend({ server: text }),
  /** The deletion guard; while it is active with its message, its numbers and the names of the nodes. */
  guard: z.object({
    held: z.boolean(),
    since: time,
    message: text,
    /** `mass`: too many nodes are not alive. `returned`: machines of deregistered nodes returned. */
    kind: z.enum(['mass', 'returned']).nullable(),
    gone: z.number().nullable(),
    managed: z.number().nullable(),
    nodes: z.array(z.string()),
  }),
  /** Other warnings beside the verdicts: a sentence each. */
  warnings: z.array(z.string()),
  counts: z
    .object({
      machines: z.record(z.string(), z.number()),
      nodes: z.record(z.string(), z.number()),
      managed: z.number(),
      held: z.number(),
      /** Writes that something else has undone. */
      undone: z.number(),
    })
    .nullable(),
  machines: z.array(machine),
  nodes: z.array(node),
  /** The last registrations, adoptions and deregistrations of this process, the latest first, some of each kind. */
  history: z.array(action),
});

export type Status = z.infer<typeof statusDocument>;
export type MachineStatus = Status['machines'][number];
export type NodeStatus = Status['nodes'][number];
export type PastAction = Status['history'][number];
