/** The history of passes: since when verdicts, kubelets, servers and the deletion guard are in their states, and the last actions. */
import { TARGETS, type Target } from '../http/request-error.ts';
import type { KubeletAnswer } from '../kubelet/kubelet.ts';
import type { Outcome } from '../reconcile/apply/apply.ts';
import { type Action, type Label, nodeName } from '../reconcile/plan/action.ts';
import type { Hold } from '../reconcile/plan/guard.ts';
import type { Plan } from '../reconcile/plan/plan.ts';
import type { MachineVerdict, NodeVerdict } from '../reconcile/plan/verdict.ts';
import { type PassReport, tellsOfServers } from '../reconcile/reconciler.ts';
import { tally } from '../text/tally.ts';

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

/** The verdict of a machine or a node, and since when (wall ms) it has it. */
interface KnownVerdict {
  readonly name: string;
  readonly since: number;
}

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

/** The number of actions of each kind that are kept, so that many registrations do not replace the deregistrations. */
const MAX_ENTRIES_OF_KIND = 25;

/** Records every pass. A failed pass changes the states of the servers only. */
export class History {
  readonly #servers = new Map<Target, ServerState>();
  /** By kind and ID of the subject: its verdict. */
  #verdicts: Readonly<Record<Subject['kind'], ReadonlyMap<string, KnownVerdict>>> = {
    machine: new Map(),
    node: new Map(),
  };
  /** By address: the kubelet's state, and the wall ms since when it is in it. */
  #kubelets: ReadonlyMap<string, { readonly state: string; readonly since: number }> = new Map();
  /** By node name: how this process made it managed. */
  readonly #origins = new Map<string, 'registered' | 'adopted'>();
  readonly #entries: Readonly<Record<HistoryEntry['action']['kind'], HistoryEntry[]>> = {
    register: [],
    adopt: [],
    deregister: [],
  };
  #hold: { readonly hold: Hold; readonly since: number } | undefined;
  #passes = 0;

  /** Records a pass that ended at this time (wall ms). */
  record(report: PassReport, at: number): PassChanges {
    this.#passes += 1;
    this.#recordServers(report, at);
    if (report.seen === undefined) return { hold: undefined };
    const { observation, plan } = report.seen;
    this.#recordKubelets(observation.kubelets, at);
    for (const name of this.#origins.keys()) if (!plan.nodes.has(name)) this.#origins.delete(name);
    const alike = tally(report.outcomes.map(({ action, result }) => `${action.kind} ${result}`));
    for (const outcome of report.outcomes) {
      this.#recordOutcome(outcome, at, alike.get(`${outcome.action.kind} ${outcome.result}`) ?? 1);
    }
    this.#verdicts = {
      machine: withSince(this.#verdicts.machine, plan.machines, at),
      node: withSince(this.#verdicts.node, plan.nodes, at),
    };
    return { hold: this.#recordHold(plan.hold, at) };
  }

  server(target: Target): ServerState | undefined {
    return this.#servers.get(target);
  }

  /** How many passes have ended. */
  get passes(): number {
    return this.#passes;
  }

  /** Since when (wall ms) the kubelet at this address is in the state it is in. */
  kubeletSince(address: string): number | undefined {
    return this.#kubelets.get(address)?.since;
  }

  /** How this process made the node managed; undefined where another process did. */
  originOf(node: string): 'registered' | 'adopted' | undefined {
    return this.#origins.get(node);
  }

  /** The last registrations, adoptions and deregistrations, the latest first. */
  entries(): readonly HistoryEntry[] {
    return Object.values(this.#entries)
      .flat()
      .sort((a, b) => b.at - a.at);
  }

  /** Since when (wall ms) the machine or node has the verdict it has. */
  since(kind: Subject['kind'], id: string): number | undefined {
    return this.#verdicts[kind].get(id)?.since;
  }

  /** Since when (wall ms) the deletion guard is active; undefined when it is not. */
  get heldSince(): number | undefined {
    return this.#hold?.since;
  }

  #recordServers(report: PassReport, at: number): void {
    if (!tellsOfServers(report)) return;
    for (const target of TARGETS) {
      const problem = report.failures.get(target);
      const up = problem === undefined;
      const before = this.#servers.get(target);
      const state = before?.up === up ? { ...before, problem } : { up, since: at, problem };
      this.#servers.set(target, state);
    }
  }

  #recordKubelets(answers: ReadonlyMap<string, KubeletAnswer>, at: number): void {
    const before = this.#kubelets;
    const kubelets = new Map<string, { readonly state: string; readonly since: number }>();
    for (const [address, { state }] of answers) {
      const known = before.get(address);
      kubelets.set(address, known?.state === state ? known : { state, since: at });
    }
    this.#kubelets = kubelets;
  }

  /** A dry run does nothing, and labels change too often to be history. */
  #recordOutcome({ action, result, detail }: Outcome, at: number, inPass: number): void {
    if (action.kind === 'label' || result === 'dry-run') return;
    const entries = this.#entries[action.kind];
    const index = entries.findIndex((entry) => nodeName(entry.action) === nodeName(action));
    const last = entries[index];
    const isRepeated = last !== undefined && result !== 'done' && last.result === result && last.detail === detail;
    if (isRepeated) entries.splice(index, 1);
    const before = isRepeated ? last : { firstAt: at, times: 0 };
    entries.unshift({ at, firstAt: before.firstAt, times: before.times + 1, inPass, action, result, detail });
    entries.length = Math.min(entries.length, MAX_ENTRIES_OF_KIND);
    if (result !== 'done') return;
    if (action.kind === 'deregister') this.#origins.delete(nodeName(action));
    else this.#origins.set(nodeName(action), action.kind === 'register' ? 'registered' : 'adopted');
  }

  #recordHold(hold: Hold | undefined, at: number): PassChanges['hold'] {
    const before = this.#hold;
    this.#hold = hold === undefined ? undefined : { hold, since: before?.since ?? at };
    if ((before === undefined) === (hold === undefined)) return undefined;
    return hold === undefined ? 'ended' : 'began';
  }
}

/** The verdicts of a pass, each with the time since when the subject has it. */
function withSince(
  before: ReadonlyMap<string, KnownVerdict>,
  verdicts: ReadonlyMap<string, Subject['verdict']>,
  at: number,
): ReadonlyMap<string, KnownVerdict> {
  const after = new Map<string, KnownVerdict>();
  for (const [id, { name }] of verdicts) {
    const known = before.get(id);
    after.set(id, known?.name === name ? known : { name, since: at });
  }
  return after;
}

/** Every machine and every node of a plan, with its verdict. */
export function* subjectsOf(plan: Pick<Plan, 'machines' | 'nodes'>): Iterable<Subject> {
  for (const [id, verdict] of plan.machines) yield { kind: 'machine', id, verdict };
  for (const [id, verdict] of plan.nodes) yield { kind: 'node', id, verdict };
}
