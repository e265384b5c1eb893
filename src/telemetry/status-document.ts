/** The form of /status: what the daemon serves there, and what whoever asks it may rely on. */
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
  /** One of the words of `src/reconcile/verdict.ts`. */
  verdict: z.string(),
  reason: z.string(),
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

const node = verdict.extend({
  name: z.string(),
  uid: z.string(),
  /** The id of the machine that its mark names. */
  mark: text,
  /** When it was registered or adopted, as its mark says. */
  managedSince: text,
  /** How it came to its mark, as far as this process did it. */
  origin: z.enum(['registered', 'adopted', 'managed', 'unmarked']),
  /** The id of the machine that came to it. */
  machine: text,
  /** The machine id that its kubelet reports, where it was read. */
  reportedId: text,
  addresses: z.array(z.string()),
  /** Its condition, where it was read whole in the last pass; null where the list had metadata alone. */
  ready: z.enum(['ready', 'not-ready', 'none']).nullable(),
  /** The kubelet's word on this node, where it was asked; several addresses may have been. */
  witnesses: z
    .object({
      fleet: z.enum(['matches', 'no-match', 'not-listed']),
      kubelet: z.enum(['healthy', 'answers', 'silent', 'unasked']),
      kubeletDetail: z.string(),
      kubernetes: z.enum(['ready', 'not-ready', 'none', 'unread']),
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
  /** While it holds: how many nodes look gone, and of how many; those with a veto `keep` count in neither. */
  guard: z.object({
    held: z.boolean(),
    since: time,
    message: text,
    gone: z.number().nullable(),
    managed: z.number().nullable(),
  }),
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
