/** The history of passes: since when verdicts, kubelets, servers and the deletion guard are in their states, and the last actions. */
import { TARGETS, type Target } from '../http/request-error.ts';
import type { KubeletAnswer } from '../kubelet/kubelet.ts';
import type { Outcome } from '../reconcile/apply/apply.ts';
import { type Action, type Label, nodeName } from '../reconcile/plan/action.ts';
import type { Hold } from '../reconcile/plan/guard.ts';
import { NextMap } from '../reconcile/plan/memory/next-map.ts';
import type { Plan } from '../reconcile/plan/plan.ts';
import type { MachineVerdict, NodeVerdict } from '../reconcile/plan/verdict.ts';
import { type PassReport, tellsOfServers } from '../reconcile/reconciler.ts';
import { tally } from '../text/tally.ts';
import { forEach, type Steps } from '../time/steps.ts';

export type Subject =
  | { readonly kind: 'machine'; readonly id: string; readonly verdict: MachineVerdict }
  | { readonly kind: 'node'; readonly id: string; readonly verdict: NodeVerdict };

/** Whether a server was reachable in the last pass, and since when. */
export interface ServerState {
  readonly up: boolean;
  /** Wall ms. */
  readonly since: number;
  /** What failed in the last pass. */
  readonly problem: string | undefined;
}

/** What one pass changed. */
export interface PassChanges {
  readonly hold: 'began' | 'ended' | undefined;
}

/** The state of a machine, node or kubelet, and since when (wall ms) it is in it. */
interface KnownState {
  readonly state: string;
  readonly since: number;
}

/** How this process made a node managed. */
type Origin = 'registered' | 'adopted';

/** An action on a node and its result. */
export interface HistoryEntry {
  /** Wall ms; of the last time, where it is repeated. */
  readonly at: number;
  /** Wall ms of the first time. */
  readonly firstAt: number;
  /** How many times in succession it was tried with this result. */
  readonly times: number;
  /** How many actions of this kind had this result in the same pass. */
  readonly inPass: number;
  readonly action: Exclude<Action, Label>;
  readonly result: Exclude<Outcome['result'], 'dry-run'>;
  readonly detail: string | undefined;
}

type Entries = Readonly<Record<HistoryEntry['action']['kind'], readonly HistoryEntry[]>>;

/** The number of actions of each kind that are kept, so that many registrations do not replace the deregistrations. */
const MAX_ENTRIES_OF_KIND = 25;

/** What is known after a pass. */
interface Known {
  readonly passes: number;
  readonly servers: ReadonlyMap<Target, ServerState>;
  /** By kind and ID of the subject. */
  readonly verdicts: Readonly<Record<Subject['kind'], ReadonlyMap<string, KnownState>>>;
  /** By address. */
  readonly kubelets: ReadonlyMap<string, KnownState>;
  /** By node name. */
  readonly origins: ReadonlyMap<string, Origin>;
  readonly entries: Entries;
  readonly heldSince: number | undefined;
}

const NOTHING_KNOWN: Known = {
  passes: 0,
  servers: new Map(),
  verdicts: { machine: new Map(), node: new Map() },
  kubelets: new Map(),
  origins: new Map(),
  entries: { register: [], adopt: [], deregister: [] },
  heldSince: undefined,
};

/** The history up to a pass. It never changes: the next pass makes another one. */
export class History {
  readonly #known: Known;

  constructor(known = NOTHING_KNOWN) {
    this.#known = known;
  }

  /** The history with a pass that ended at this time (wall ms). A failed pass changes the states of the servers only. */
  *after(report: PassReport, at: number): Steps<{ readonly history: History; readonly changes: PassChanges }> {
    const before = this.#known;
    const reached = { ...before, passes: before.passes + 1, servers: serversAfter(before.servers, report, at) };
    if (report.seen === undefined) return { history: new History(reached), changes: { hold: undefined } };
    const { observation, plan } = report.seen;
    const history = new History({
      ...reached,
      verdicts: {
        machine: yield* withSince(before.verdicts.machine, plan.machines, verdictName, at),
        node: yield* withSince(before.verdicts.node, plan.nodes, verdictName, at),
      },
      kubelets: yield* withSince(before.kubelets, observation.kubelets, kubeletState, at),
      origins: yield* originsAfter(before.origins, report.outcomes, plan),
      entries: yield* entriesAfter(before.entries, report.outcomes, at),
      heldSince: plan.hold === undefined ? undefined : (before.heldSince ?? at),
    });
    return { history, changes: { hold: changeOfHold(before.heldSince, plan.hold) } };
  }

  server(target: Target): ServerState | undefined {
    return this.#known.servers.get(target);
  }

  /** How many passes have ended. */
  get passes(): number {
    return this.#known.passes;
  }

  /** Since when (wall ms) the kubelet at this address is in the state it is in. */
  kubeletSince(address: string): number | undefined {
    return this.#known.kubelets.get(address)?.since;
  }

  /** How this process made the node managed; undefined where another process did. */
  originOf(node: string): Origin | undefined {
    return this.#known.origins.get(node);
  }

  /** The last registrations, adoptions and deregistrations, the latest first. */
  entries(): readonly HistoryEntry[] {
    return Object.values(this.#known.entries)
      .flat()
      .sort((a, b) => b.at - a.at);
  }

  /** Since when (wall ms) the machine or node has the verdict it has. */
  since(kind: Subject['kind'], id: string): number | undefined {
    return this.#known.verdicts[kind].get(id)?.since;
  }

  /** Since when (wall ms) the deletion guard is active; undefined when it is not. */
  get heldSince(): number | undefined {
    return this.#known.heldSince;
  }
}

function serversAfter(before: Known['servers'], report: PassReport, at: number): Known['servers'] {
  if (!tellsOfServers(report)) return before;
  return new Map(
    TARGETS.map((target) => {
      const problem = report.failures.get(target);
      const up = problem === undefined;
      const known = before.get(target);
      return [target, known?.up === up ? { ...known, problem } : { up, since: at, problem }];
    }),
  );
}

const verdictName = ({ name }: Subject['verdict']) => name;
const kubeletState = ({ state }: KubeletAnswer) => state;

/** The states that a pass found, each with the time since when its subject is in it. */
function* withSince<Found>(
  before: ReadonlyMap<string, KnownState>,
  found: ReadonlyMap<string, Found>,
  stateOf: (found: Found) => string,
  at: number,
): Steps<ReadonlyMap<string, KnownState>> {
  const after = new NextMap(before);
  yield* forEach(found, ([id, each]) => {
    const state = stateOf(each);
    const known = before.get(id);
    after.set(id, known?.state === state ? known : { state, since: at });
  });
  return after.map;
}

/** Without the nodes that are no longer listed, and with what this pass did. */
function* originsAfter(before: Known['origins'], outcomes: readonly Outcome[], plan: Plan): Steps<Known['origins']> {
  const origins = new Map<string, Origin>();
  yield* forEach(before, ([name, origin]) => {
    if (plan.nodes.has(name)) origins.set(name, origin);
  });
  yield* forEach(outcomes, ({ action, result }) => {
    if (result !== 'done') return;
    if (action.kind === 'register') origins.set(nodeName(action), 'registered');
    if (action.kind === 'adopt') origins.set(nodeName(action), 'adopted');
    if (action.kind === 'deregister') origins.delete(nodeName(action));
  });
  return origins;
}

function* entriesAfter(before: Entries, outcomes: readonly Outcome[], at: number): Steps<Entries> {
  const alike = tally(outcomes.map(({ action, result }) => `${action.kind} ${result}`));
  const entries = { register: [...before.register], adopt: [...before.adopt], deregister: [...before.deregister] };
  yield* forEach(outcomes, (outcome) => {
    const { action, result } = outcome;
    // A dry run does nothing, and labels change too often to be history.
    if (action.kind === 'label' || result === 'dry-run') return;
    const inPass = alike.get(`${action.kind} ${result}`) ?? 1;
    addEntry(entries[action.kind], { at, inPass, action, result, detail: outcome.detail });
  });
  return entries;
}

/** Adds it as the first; where it repeats the last entry about its node, it replaces that. */
function addEntry(entries: HistoryEntry[], entry: Omit<HistoryEntry, 'firstAt' | 'times'>): void {
  const { action, result, detail } = entry;
  const index = entries.findIndex((each) => nodeName(each.action) === nodeName(action));
  const last = entries[index];
  const isRepeated = last !== undefined && result !== 'done' && last.result === result && last.detail === detail;
  if (isRepeated) entries.splice(index, 1);
  const { firstAt, times } = isRepeated ? last : { firstAt: entry.at, times: 0 };
  entries.unshift({ ...entry, firstAt, times: times + 1 });
  entries.length = Math.min(entries.length, MAX_ENTRIES_OF_KIND);
}

function changeOfHold(heldSince: number | undefined, hold: Hold | undefined): PassChanges['hold'] {
  if ((heldSince === undefined) === (hold === undefined)) return undefined;
  return hold === undefined ? 'ended' : 'began';
}
