/** The reconcile loop in a lab: the real clients, a clock that the test owns, and a pass whenever the test wants one. */
import { expect, onTestFinished } from 'vitest';
import { createFleetClient } from '../../src/fleet/client.ts';
import { parseSelector } from '../../src/fleet/selector.ts';
import { createKubeletProber } from '../../src/kubelet/prober.ts';
import { connectNodes } from '../../src/kubernetes/connect.ts';
import type { ApiVersion } from '../../src/kubernetes/era.ts';
import type { Outcome } from '../../src/reconcile/apply/apply.ts';
import { createNamer, type NameRule, type ReverseLookup } from '../../src/reconcile/observe/naming.ts';
import type { Policy } from '../../src/reconcile/plan/policy.ts';
import { type PassReport, Reconciler } from '../../src/reconcile/reconciler.ts';
import type { Clock } from '../../src/time/clock.ts';
import { send } from '../lab/answer.ts';
import type { Fault } from '../lab/faults.ts';
import { type Lab, type LabMachine, type LabOptions, startLab } from '../lab/lab.ts';
import { INTERVAL, MINUTE, POLICY } from '../unit/reconcile/world.ts';
import { clientOf } from './client.ts';

export { MINUTE };

const NEVER = new AbortController().signal;
/** The metadata that the selector asks for. */
export const WORKER = { role: 'kubernetes' };
/** When every test begins. */
export const EPOCH = '2026-01-01T00:00:00.000Z';

export interface LoopOptions {
  readonly policy?: Partial<Policy>;
  readonly nodeName?: NameRule;
  readonly lookup?: ReverseLookup;
  readonly dryRun?: boolean;
  readonly apiVersion?: ApiVersion;
  /** Closes clients when the test has ended; a test that runs beside others has its own. */
  readonly atEnd?: (close: () => void) => void;
  /** Bounds one request to fleet or Kubernetes. */
  readonly requestMs?: number;
  /** Bounds one health check. */
  readonly probeMs?: number;
  /** Bounds a pass, in the time of the test's own process. */
  readonly passMs?: number;
}

/** Stands still unless it is told. */
export class TestClock implements Clock {
  #ms = 0;

  wall(): number {
    return Date.parse(EPOCH) + this.#ms;
  }

  monotonic(): number {
    return this.#ms;
  }

  advance(ms: number): void {
    this.#ms += ms;
  }
}

/** A lab and a loop in it, both gone when the test is. */
export async function startLoop(options: LoopOptions = {}, labOptions: LabOptions = {}): Promise<Loop> {
  const lab = await startLab(labOptions);
  onTestFinished(() => lab.close());
  return new Loop(lab, options);
}

/** Where the servers of a lab are. */
export interface Servers {
  readonly fleet: { readonly endpoint: string };
  readonly kubelets: { readonly healthzUrl: string };
  readonly kubernetes: { readonly url: string };
}

/** A reconciler as the daemon has one, but for its clock. */
export function reconcilerOf(servers: Servers, clock: Clock, options: LoopOptions = {}): Reconciler {
  const {
    policy,
    nodeName = { kind: 'ip' },
    lookup = noNames,
    dryRun = false,
    probeMs = 5_000,
    passMs = 60_000,
  } = options;
  return new Reconciler({
    sources: {
      fleet: createFleetClient({ http: clientOf('fleet', servers.fleet.endpoint, options) }),
      selector: parseSelector('role=kubernetes'),
      kubelets: createKubeletProber({
        urlTemplates: [servers.kubelets.healthzUrl],
        timeoutMs: probeMs,
        concurrency: 100,
        tls: {},
        observer: { healthCheckDone: () => {} },
      }),
      nodes: connectNodes({
        http: clientOf('kubernetes', servers.kubernetes.url, options),
        apiVersion: options.apiVersion ?? 'auto',
        clock,
      }),
      namer: createNamer(nodeName, lookup, clock),
    },
    policy: { ...POLICY, ...policy },
    clock,
    passTimeoutMs: passMs,
    checkTimeoutMs: probeMs,
    dryRun,
  });
}

export class Loop {
  readonly lab: Lab;
  readonly clock = new TestClock();
  readonly #reconciler: Reconciler;

  constructor(lab: Lab, options: LoopOptions = {}) {
    this.lab = lab;
    this.#reconciler = reconcilerOf(lab, this.clock, options);
  }

  /** A pass, whatever comes of it; then an interval goes by. */
  async attempt(stop = NEVER): Promise<PassReport> {
    const report = await this.#reconciler.runOnce({ stop, abandon: NEVER });
    this.clock.advance(INTERVAL);
    return report;
  }

  /** A pass that succeeds with all that it does. */
  async pass(): Promise<PassReport> {
    const report = await this.attempt();
    expect([...report.failures.values(), ...report.outcomes.filter(({ result }) => result === 'failed')]).toEqual([]);
    return report;
  }

  /** The report of the last of them. */
  async passes(count: number): Promise<PassReport> {
    for (let more = count; more > 1; more--) await this.pass();
    return this.pass();
  }

  /** Passes for so long, by the clock of the test. */
  passFor(ms: number): Promise<PassReport> {
    return this.passes(ms / INTERVAL);
  }

  /** New machines that are registered already, and whose kubelets report to Kubernetes. */
  async join(count: number): Promise<LabMachine[]> {
    const machines = await this.lab.addMachines(count, WORKER);
    await this.pass();
    for (const { id, address } of machines) this.lab.kubernetes.selfRegister(address, id, [address]);
    await this.pass();
    this.lab.kubernetes.log.clear();
    return machines;
  }

  /** The kubelet stops, and Kubernetes notices. */
  async silence({ address, kubelet }: LabMachine): Promise<void> {
    await kubelet.stop();
    this.lab.kubernetes.setReady(address, 'unknown');
  }

  /** The machine is gone for good, and everybody notices. */
  async destroy(machine: LabMachine): Promise<void> {
    this.lab.fleet.removeMachine(machine.id);
    await this.silence(machine);
  }

  /** `POST 127.1.0.1`, in order of arrival: every write that Kubernetes was asked for. */
  get writes(): string[] {
    return this.lab.kubernetes.log.writes.map(({ method, path, body }) => {
      const name: unknown = method === 'POST' ? JSON.parse(body).metadata.name : path.split('/').at(-1);
      return `${method} ${name}`;
    });
  }

  /** `GET nodes` for each page of a list, `GET nodes/NAME` for a node read whole. */
  get reads(): string[] {
    return this.lab.kubernetes.log
      .of({ method: 'GET' })
      .filter(({ path }) => path.startsWith('/api/v1/nodes'))
      .map(({ path }) => `GET ${path.replace(/^\/api\/v1\/|\?.*$/g, '')}`);
  }

  get nodeNames(): string[] {
    return this.lab.kubernetes.nodes.map(({ metadata }) => metadata.name);
  }
}

/** The words of the plan for one node. */
export function verdictOf({ seen }: PassReport, node: string) {
  return seen?.plan.nodes.get(node)?.name;
}

/** What became of the actions: `register 127.1.0.1: done`, sorted. */
export function told({ outcomes }: PassReport): string[] {
  return outcomes.map((outcome) => `${outcome.action.kind} ${nameIn(outcome)}: ${outcome.result}`).sort();
}

/** Something happens after the request has left the client and before it reaches the server. */
export function meanwhile(act: () => unknown): Fault {
  return (response, handle) => void Promise.resolve(act()).then(() => send(response, handle()));
}

function nameIn({ action }: Outcome): string {
  return action.kind === 'register' ? action.draft.name : action.node.name;
}

async function noNames(address: string): Promise<readonly string[]> {
  throw new Error(`nobody gave ${address} a name`);
}
