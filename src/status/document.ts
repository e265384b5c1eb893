/** The form of /status: what the daemon serves there, and what its readers may rely on. */
import { z } from 'zod';

/** ISO 8601. */
const moment = z.iso.datetime();
/** Null for what is not known or has not happened. */
const time = moment.nullable();
const text = z.string().nullable();

const kubelet = z.object({
  state: z.enum(['healthy', 'answers', 'silent']),
  /** What was asked and what came of it. */
  detail: z.string(),
  /** Since when it is in this state, as far as this process knows. */
  since: time,
});

const verdict = z.object({
  /** One of the words of `src/reconcile/plan/verdict.ts`. */
  verdict: z.string(),
  reason: z.string(),
  /** Something is wrong that a person should know of. */
  warning: z.boolean(),
  since: time,
  /** What happens next, where anything does. */
  next: text,
  /** When that is due, if nothing changes. */
  due: time,
});

const machine = verdict.extend({
  id: z.string(),
  addresses: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
  matches: z.boolean(),
  /** At its address; null when it was not asked. */
  kubelet: kubelet.nullable(),
  /** The name of its node. */
  node: text,
});

/** The condition Ready as the API server has it; `unreadable` is a status of an unknown shape. */
const READY = ['true', 'false', 'unknown', 'none', 'unreadable'] as const;
const ready = z.enum(READY);

const node = verdict.extend({
  name: z.string(),
  uid: z.string(),
  /** The machine id in its kube-register annotations; null where it is unmanaged. */
  mark: text,
  /** OWNER_ID of another kube-register that manages it. */
  otherOwner: text,
  /** When it was registered or adopted, as its annotations say. */
  managedSince: text,
  /** How it came to be managed, as far as this process did it. */
  origin: z.enum(['registered', 'adopted', 'managed', 'unmarked']),
  /** The id of the machine that is matched with it. */
  machine: text,
  /** The machine id that its kubelet reports, where it was read. */
  reportedId: text,
  addresses: z.array(z.string()),
  /** Whether NODE_NAME gave its name or its kubelet did, as its annotations say. */
  nameOrigin: z.enum(['named', 'own-name']).nullable(),
  /** Its condition Ready, as it was read last, at most ten minutes ago; null where it was never read. */
  ready: ready.nullable(),
  /** Since when it is being deleted, and what it waits for. */
  leaving: z.object({ since: z.string(), finalizers: z.array(z.string()) }).nullable(),
  /** What an operator keeps it by; `unreadable` is a `spec.unschedulable` of an unknown shape. */
  veto: z.enum(['keep', 'cordoned', 'unreadable']).nullable(),
  /** What tells of its life; null for an unmanaged node without a machine. */
  evidence: z
    .object({
      fleet: z.enum(['matches', 'no-match', 'not-listed']),
      kubelet: z.enum(['healthy', 'answers', 'silent', 'unasked']),
      kubeletDetail: z.string(),
      /** `unread`: not read in the last pass, because its kubelet answered. */
      node: z.enum([...READY, 'unread']),
      alive: z.boolean(),
      /** The addresses at which its kubelet has answered this process. */
      answeredAt: z.array(z.string()),
      /** Another node of its machine that is reporting. */
      successor: text,
    })
    .nullable(),
});

const action = z.object({
  at: moment,
  kind: z.enum(['register', 'adopt', 'deregister']),
  node: z.string(),
  machine: text,
  result: z.enum(['done', 'unneeded', 'refused', 'failed']),
  /** Why it was to be done, and what came of it where `result` does not say it all. */
  reason: z.string(),
});

const server = z.object({ up: z.boolean().nullable(), since: time, problem: text });

const pass = z.object({
  startedAt: moment,
  durationMs: z.number(),
  /** By cause: fleet, kubernetes, timeout or internal. */
  failures: z.record(z.string(), z.string()),
  actions: z.array(z.object({ kind: z.string(), node: z.string(), result: z.string(), detail: text })),
});

export const statusDocument = z.object({
  version: z.string(),
  dryRun: z.boolean(),
  startedAt: moment,
  now: moment,
  /** What the verdicts rest on. Graces in ms, null is never. */
  rules: z.object({
    selector: z.string(),
    /** The setting that never lets a node go, or null. */
    neverDeregister: text,
    adopt: z.boolean(),
    ownerId: z.string(),
    missingGraceMs: z.number().nullable(),
    unhealthyGraceMs: z.number().nullable(),
    maxDeregisterPercent: z.number(),
    intervalMs: z.number(),
  }),
  pass: z.object({
    /** How many have ended since the start: it tells two documents apart. */
    number: z.number(),
    running: z.boolean(),
    last: pass.nullable(),
    lastSuccess: time,
    next: time,
  }),
  fleet: server,
  kubernetes: server.extend({ server: text }),
  /** The deletion guard. While it is active: why, how many nodes, of how many, and their names. */
  guard: z.object({
    held: z.boolean(),
    since: time,
    message: text,
    /** `mass`: too many look gone. `returned`: machines of deregistered nodes came back. */
    kind: z.enum(['mass', 'returned']).nullable(),
    gone: z.number().nullable(),
    managed: z.number().nullable(),
    nodes: z.array(z.string()),
  }),
  /** What else is wrong, beside the verdicts: a sentence each. */
  warnings: z.array(z.string()),
  counts: z
    .object({
      machines: z.record(z.string(), z.number()),
      nodes: z.record(z.string(), z.number()),
      managed: z.number(),
      held: z.number(),
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
