/** Checks an installation: collects everything first, then makes the findings, in the order of `CHECKS`. */
import { policyOf } from '../../daemon/assemble.ts';
import { openNamer } from '../../daemon/clients.ts';
import { SlowAnswers } from '../../daemon/slow-answers.ts';
import { RequestError, SERVER_NAMES, type Target } from '../../http/request-error.ts';
import type { KubeletProber } from '../../kubelet/kubelet.ts';
import type { Candidate } from '../../reconcile/evidence/machines.ts';
import type { GivenName } from '../../reconcile/evidence/pair.ts';
import type { Policy } from '../../reconcile/plan/policy.ts';
import type { Settings } from '../../settings/settings.ts';
import { envName } from '../../settings/table.ts';
import type { Clock } from '../../time/clock.ts';
import { formatDuration } from '../../time/duration.ts';
import { type ApiServerResult, checkApiServer, inspectApiServer } from './checks/api-server.ts';
import { checkClocks } from './checks/clocks.ts';
import { checkCredentials, type Reception } from './checks/credentials.ts';
import {
  type CopiesResult,
  checkCopies,
  checkListener,
  findCopies,
  identifyListener,
  inspectListener,
  type ListenerResult,
} from './checks/daemons.ts';
import { checkFleet, type FleetResult, inspectFleet, replay } from './checks/fleet.ts';
import { checkKubelets, inspectKubelets, type KubeletResult, type KubeletTrouble } from './checks/kubelets.ts';
import { candidatesOf, checkMachines } from './checks/machines.ts';
import { checkLabels, checkNames, type MachinesWithoutNode, machinesWithoutNode } from './checks/names.ts';
import { checkNodes, inspectNodes, type NodesResult, nodesNotChecked } from './checks/nodes.ts';
import { NO_METRICS } from './checks/observed.ts';
import {
  askRights,
  checkRights,
  type Needs,
  type Reviews,
  type Right,
  rightMissed,
  rightsFor,
} from './checks/rights.ts';
import { CHECK_NAMES, type CheckName, type Finding, named, ok, skippedBy, warning, wrong } from './finding.ts';
import { mendOf, type SettingPlaces, type Spellings, spelledAs } from './mends.ts';
import { checkSettings } from './settings.ts';

export interface Installation {
  readonly settings: Settings;
  /** Warnings about the settings, a line each. */
  readonly warnings: readonly string[];
  readonly spellings: Spellings;
  /** The unit that gave the settings, if one did. */
  readonly unit?: SettingPlaces;
}

/** What was collected. A field is undefined where something else kept it from being collected. */
interface CheckInput {
  readonly fleet: FleetResult;
  readonly candidates: readonly Candidate[] | undefined;
  readonly kubelets: KubeletResult | KubeletTrouble | undefined;
  readonly names: ReadonlyMap<string, GivenName>;
  readonly server: ApiServerResult;
  readonly rights: readonly Right[];
  readonly reviews: Reviews | undefined;
  readonly nodes: NodesResult | undefined;
  readonly listener: ListenerResult;
  readonly copies: CopiesResult;
  readonly tookMs: number;
  /** The longest slow answer of each server, ms. */
  readonly slowMs: ReadonlyMap<Target, number>;
}

/** Sends requests to fleet, kubelets and the API server, and changes nothing. Throws only the signal's reason. */
export async function checkInstallation(
  installation: Installation,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { settings, spellings, unit } = installation;
  const slowAnswers = new SlowAnswers(NO_METRICS, settings);
  const server = await inspectApiServer(settings, { clock, observer: slowAnswers }, signal);
  try {
    const input = await collect(settings, { server, slowAnswers }, clock, signal);
    const findings = await findingsOf(installation, input, clock);
    return findings.map(({ mend, ...found }) =>
      mend === undefined ? found : { ...found, mend: spelledAs(mend, spellings, unit) },
    );
  } finally {
    server.close();
  }
}

async function collect(
  settings: Settings,
  { server, slowAnswers }: { readonly server: ApiServerResult; readonly slowAnswers: SlowAnswers },
  clock: Clock,
  signal: AbortSignal,
): Promise<CheckInput> {
  const began = clock.monotonic();
  const policy = firstPassPolicy(settings);
  const rights = server.seen === undefined ? [] : rightsFor(needsOf(settings, policy), server.seen.era);
  const [fleet, reviews, listener] = await Promise.all([
    inspectFleet(settings, { clock, observer: slowAnswers }, signal),
    server.seen && askRights(server.seen.http, rights, signal),
    inspectListener(settings, signal),
  ]);
  const [pass, copies] = await Promise.all([
    observeLikePass(settings, { fleet, server, policy }, clock, signal).then((seen) => ({
      ...seen,
      tookMs: clock.monotonic() - began,
    })),
    findCopies(settings, fleet.seen?.machines, signal),
  ]);
  const identified = identifyListener(listener, copies, settings);
  return { fleet, server, rights, reviews, listener: identified, copies, ...pass, slowMs: slowAnswers.take() };
}

interface Known {
  readonly fleet: FleetResult;
  readonly server: ApiServerResult;
  readonly policy: Policy;
}

/** What a pass observes once it has the list of machines. */
async function observeLikePass(
  settings: Settings,
  { fleet, server, policy }: Known,
  clock: Clock,
  signal: AbortSignal,
): Promise<Pick<CheckInput, 'candidates' | 'kubelets' | 'names' | 'nodes'>> {
  const candidates = fleet.seen && candidatesOf(fleet.seen.machines);
  const { namer, close } = openNamer(settings, clock);
  try {
    const [kubelets, names] = await Promise.all([
      candidates && inspectKubelets(settings, candidates, signal),
      namer.namesOf(candidates ?? [], signal),
    ]);
    const prober = proberOf(kubelets);
    const { selector } = settings;
    const sources = fleet.seen && prober && { fleet: replay(fleet.seen), selector, kubelets: prober, namer };
    const nodes = server.seen && (await inspectNodes(server.seen, settings, sources, policy, clock, signal));
    return { candidates, kubelets, names, nodes };
  } finally {
    close();
  }
}

function needsOf({ events }: Settings, { neverDeregister, missingGraceMs, unhealthyGraceMs }: Policy): Needs {
  const isNever = missingGraceMs === Number.POSITIVE_INFINITY && unhealthyGraceMs === Number.POSITIVE_INFINITY;
  return { neverDeregister: neverDeregister ?? (isNever ? 'both grace periods are never' : undefined), events };
}

/** The interval matters only from the second pass on. */
function firstPassPolicy(settings: Settings): Policy {
  return policyOf(settings, { intervalMs: 30_000 });
}

function proberOf(kubelets: CheckInput['kubelets']): KubeletProber | undefined {
  return kubelets !== undefined && 'prober' in kubelets ? kubelets.prober : undefined;
}

async function findingsOf(
  { settings, warnings, spellings }: Installation,
  input: CheckInput,
  clock: Clock,
): Promise<readonly Finding[]> {
  const { fleet, candidates, kubelets, server, nodes, listener, copies } = input;
  const offsets = { fleet: fleet.offset, kubernetes: server.offset() };
  const findings = [
    ...checkSettings(
      warnings,
      settings,
      settings.dryRun ? (spellings.get('DRY_RUN') ?? envName('DRY_RUN')) : undefined,
    ),
    checkFleet(fleet, settings),
    ...(fleet.seen === undefined
      ? [named('machines', skippedBy('fleet'))]
      : checkMachines(fleet.seen.machines, settings.selector)),
    kubelets !== undefined && (hasAny(candidates) || !('answers' in kubelets))
      ? checkKubelets(kubelets, settings)
      : named('kubelets', skippedBy(fleet.seen === undefined ? 'fleet' : 'machines')),
    ...checkApiServer(server, settings, failureIn(nodes)),
    ...(await credentialFindings(input, clock)),
    ...rightFindings(input),
  ];
  const context = {
    missing: fleet.seen === undefined ? 'fleet' : 'kubelets',
    isWrong: (check: CheckName) => findings.some((found) => found.check === check && found.state === 'wrong'),
    place: server.access && { ...server.access, server: server.seen?.era.server },
  } as const;
  const withoutNode = machinesWithoutNode(candidates ?? [], input.names, nodes?.seen?.observation);
  return [
    ...findings,
    ...(nodes === undefined ? nodesNotChecked('api-server') : checkNodes(nodes, withoutNode.free, context)),
    ...nameFindings(settings, input, withoutNode),
    ...checkCopies(copies, listener, settings, nodes?.seen?.plan),
    checkClocks(offsets),
    checkListener(listener, settings),
    checkTime(settings, input),
    ...checkAnswerTimes(input),
  ];
}

/** Why the nodes could not be read. */
function failureIn(nodes: NodesResult | undefined): Error | undefined {
  return nodes?.seen === undefined ? nodes?.failure : undefined;
}

async function credentialFindings({ server, reviews, nodes }: CheckInput, clock: Clock): Promise<readonly Finding[]> {
  const { access } = server;
  if (access === undefined) return [named('credentials', wrong(server.failure.message, mendOf(server.failure)))];
  return checkCredentials(access, receptionOf(reviews, nodes), clock.wall());
}

/** Servers without SelfSubjectAccessReview show it by the answer to the list of nodes. A server that reviewed our rights knows us. */
function receptionOf(reviews: Reviews | undefined, nodes: NodesResult | undefined): Reception {
  if (reviews?.kind === 'unknown' || reviews?.kind === 'anonymous') return reviews.kind;
  const failure = failureIn(nodes);
  if (failure instanceof RequestError && failure.status === 401 && reviews?.kind !== 'reviewed') return 'unknown';
  if (failure instanceof RequestError && failure.message.includes('system:anonymous')) return 'anonymous';
  return reviews?.kind === 'reviewed' || (nodes !== undefined && failure === undefined) ? 'accepted' : undefined;
}

function hasAny<T>(list: readonly T[] | undefined): list is readonly T[] {
  return list !== undefined && list.length > 0;
}

function rightFindings({ server, rights, reviews, nodes }: CheckInput): readonly Finding[] {
  if (server.seen === undefined || reviews === undefined) {
    const all = CHECK_NAMES.filter((check) => check.startsWith('right-'));
    return all.map((check) => named(check, skippedBy('api-server')));
  }
  const failure = failureIn(nodes);
  const refusal = failure instanceof RequestError && failure.status === 403 ? failure : undefined;
  // Single nodes are read only after the list.
  const isListed = failure === undefined || (refusal !== undefined && rightMissed(refusal) === 'get');
  const reading = { listed: nodes !== undefined && isListed, refusal };
  return checkRights(rights, reviews, reading, { ...server.access, server: server.seen.era.server });
}

function nameFindings(
  settings: Settings,
  { fleet, candidates, names, server }: CheckInput,
  withoutNode: MachinesWithoutNode,
): readonly Finding[] {
  if (!hasAny(candidates)) {
    const cause = skippedBy(fleet.seen === undefined ? 'fleet' : 'machines');
    return [named('names', cause), named('labels', cause)];
  }
  return [
    checkNames(withoutNode, names, settings),
    ...(server.seen === undefined
      ? [named('labels', skippedBy('api-server'))]
      : checkLabels(candidates, settings, server.seen.era)),
  ];
}

function checkTime({ passTimeoutMs }: Settings, { nodes, tookMs }: CheckInput): Finding {
  if (nodes?.seen === undefined) return named('pass-time', skippedBy('nodes'));
  const limit = `KUBE_REGISTER_PASS_TIMEOUT is ${formatDuration(passTimeoutMs)}`;
  const sentence = `observing took ${formatDuration(tookMs)}; ${limit}`;
  const mend = `KUBE_REGISTER_PASS_TIMEOUT=${formatDuration(Math.max(4 * tookMs, 60_000))}`;
  if (tookMs > passTimeoutMs) return named('pass-time', wrong(sentence, mend));
  return named('pass-time', tookMs > passTimeoutMs / 2 ? warning(sentence, mend) : ok(sentence));
}

/** The settings that bound an answer. */
const TIMEOUTS: Readonly<Record<Target, (time: string) => string>> = {
  fleet: (time) => `KUBE_REGISTER_FLEET_TIMEOUT=${time}`,
  kubernetes: (time) => `KUBE_REGISTER_API_TIMEOUT=${time}`,
};

/** Nothing where the answers are quick. */
function checkAnswerTimes({ slowMs }: CheckInput): readonly Finding[] {
  return [...slowMs].map(([target, ms]) => {
    const sentence = `${SERVER_NAMES[target]} is slow: an answer took ${formatDuration(ms)}, more than half of its timeout`;
    const ample = formatDuration(Math.ceil((3 * ms) / 1_000) * 1_000);
    return named('pass-time', warning(sentence, TIMEOUTS[target](ample)));
  });
}
