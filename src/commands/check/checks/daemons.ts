/** Finds other daemons: at the port of LISTEN on this machine, and at the same port of fleet's machines. */
import { BlockList, createServer, isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import pLimit from 'p-limit';
import { getText } from '../../../http/get-text.ts';
import type { Machine } from '../../../reconcile/evidence/machines.ts';
import type { Plan } from '../../../reconcile/plan/plan.ts';
import type { Settings } from '../../../settings/settings.ts';
import { statusDocument } from '../../../status/document.ts';
import { plural } from '../../../text/plural.ts';
import { quote } from '../../../text/quote.ts';
import { hostPort, LISTEN_PROBLEMS, ListenError, listenAt } from '../../../web/listen.ts';
import { examples, type Finding, few, named, ok, skipped, warning, wrong } from '../finding.ts';

/** A running kube-register, at one of its addresses. */
interface Daemon {
  readonly host: string;
  readonly place: string;
  readonly version: string;
  /** ISO 8601, to the ms. It identifies a daemon: one daemon may respond at two addresses. */
  readonly startedAt: string;
  readonly dryRun: boolean;
}

const answering = statusDocument.pick({ version: true, startedAt: true, dryRun: true });

const TIMEOUT_MS = 2_000;
const ASKED_AT_ONCE = 20;
/** More machines than these are not asked. */
const MOST_ASKED = 100;

/** The kube-register that responds there, or undefined. Throws only the signal's reason. */
async function daemonAt(host: string, port: number, signal: AbortSignal): Promise<Daemon | undefined> {
  const place = hostPort({ host, port });
  try {
    const { status, body } = await getText(`http://${place}/status`, TIMEOUT_MS, signal);
    const parsed = status === 200 ? answering.safeParse(JSON.parse(body)) : undefined;
    return parsed?.success ? { host, place, ...parsed.data } : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

export type ListenerResult =
  /** LISTEN=off. */
  | { readonly kind: 'off' }
  | { readonly kind: 'free' }
  | { readonly kind: 'ours'; readonly daemon: Daemon }
  /** `asked` are the hosts where no kube-register responded. */
  | { readonly kind: 'refused'; readonly code: string; readonly asked: readonly string[] };

/** Listens on the port for a moment; where that fails, looks for a kube-register there. Throws only the signal's reason. */
export async function inspectListener({ listen }: Settings, signal: AbortSignal): Promise<ListenerResult> {
  if (listen === 'off') return { kind: 'off' };
  const server = createServer();
  try {
    await listenAt(server, listen);
    server.close();
    return { kind: 'free' };
  } catch (error) {
    const cause = error instanceof ListenError ? error.cause : error;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    if (code !== 'EADDRINUSE') return { kind: 'refused', code, asked: [] };
    const asked = hostsFor(listen.host);
    const [daemon] = await daemonsAt(asked, listen.port, signal);
    return daemon === undefined ? { kind: 'refused', code, asked } : { kind: 'ours', daemon };
  }
}

/** The daemons that respond, in the order of the hosts. Throws only the signal's reason. */
async function daemonsAt(hosts: readonly string[], port: number, signal: AbortSignal): Promise<readonly Daemon[]> {
  const limit = pLimit(ASKED_AT_ONCE);
  const answers = await Promise.all(hosts.map((host) => limit(() => daemonAt(host, port, signal))));
  return answers.filter((daemon) => daemon !== undefined);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function ownInterfaces() {
  return Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
}

/** The hosts at which a port of LISTEN can be reached from this machine. */
function hostsFor(host: string): readonly string[] {
  if (!isWildcard(host)) return [host];
  const own = ownInterfaces().filter(({ scopeid }) => scopeid === undefined || scopeid === 0);
  return own.map(({ address }) => address).slice(0, MOST_ASKED);
}

/** Every address of the loopback network belongs to this machine. */
function isOwnAddress(host: string): boolean {
  const own = new BlockList();
  for (const { address, family, internal, cidr } of ownInterfaces()) {
    const prefix = Number(cidr?.split('/')[1]);
    const type = family === 'IPv6' ? 'ipv6' : 'ipv4';
    if (internal && prefix > 0) own.addSubnet(address, prefix, type);
    else own.addAddress(address, type);
  }
  return isIP(host) !== 0 && own.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

/** A port on all addresses may be in use at an address that no interface has, but that fleet lists for this machine. */
export function identifyListener(
  result: ListenerResult,
  { daemons }: CopiesResult,
  { listen }: Settings,
): ListenerResult {
  if (result.kind !== 'refused' || result.code !== 'EADDRINUSE') return result;
  if (listen === 'off' || !isWildcard(listen.host)) return result;
  const daemon = daemons.find(({ host }) => isOwnAddress(host));
  return daemon === undefined ? result : { kind: 'ours', daemon };
}

export function checkListener(result: ListenerResult, { listen }: Settings): Finding {
  return named('listener', listen === 'off' || result.kind === 'off' ? NOT_LISTENING : checkPort(result, listen));
}

const NOT_LISTENING = ok('KUBE_REGISTER_LISTEN=off: no status page and no metrics');

function checkPort(result: Exclude<ListenerResult, { kind: 'off' }>, listen: Exclude<Settings['listen'], 'off'>) {
  const place = hostPort(listen);
  switch (result.kind) {
    case 'free':
      return ok(listen.port === 0 ? `any free port on ${listen.host}` : `${place} is free`);
    case 'ours':
      return ok(`${place} is in use by ${describeDaemon(result.daemon)}`);
    case 'refused': {
      const problem = `cannot listen on ${place}: ${LISTEN_PROBLEMS[result.code] ?? result.code}`;
      if (result.code !== 'EADDRINUSE') return wrong(problem, `KUBE_REGISTER_LISTEN=0.0.0.0:${listen.port}`);
      return wrong(
        `${problem}; no kube-register responds at ${few(result.asked)}`,
        `ss -ltnp 'sport = :${listen.port}'`,
      );
    }
  }
}

function describeDaemon({ version, startedAt, dryRun }: Daemon): string {
  return `kube-register ${quote(version).slice(1, -1)}, running since ${quote(startedAt).slice(1, -1)}${dryRun ? ' in a dry run' : ''}`;
}

export interface CopiesResult {
  /** How many machines were checked; undefined when none could be, and then `why` says why. */
  readonly asked: number | undefined;
  readonly why: string;
  readonly daemons: readonly Daemon[];
}

/** Looks for daemons on fleet's machines, at the port of LISTEN. Throws only the signal's reason. */
export async function findCopies(
  { listen }: Settings,
  machines: ReadonlyMap<string, Machine> | undefined,
  signal: AbortSignal,
): Promise<CopiesResult> {
  const none = { asked: undefined, daemons: [] };
  if (listen === 'off' || listen.port === 0) return { ...none, why: 'KUBE_REGISTER_LISTEN has no fixed port' };
  if (['127.0.0.1', '::1', 'localhost'].includes(listen.host)) {
    return { ...none, why: 'KUBE_REGISTER_LISTEN is on the loopback interface, which other machines cannot reach' };
  }
  if (machines === undefined) return { ...none, why: 'the machines are not known, because fleet is unreachable' };
  const addresses = new Set([...machines.values()].flatMap((machine) => machine.addresses));
  const asked = [...addresses].slice(0, MOST_ASKED);
  return { asked: asked.length, why: '', daemons: await daemonsAt(asked, listen.port, signal) };
}

const DANGER =
  'with equal settings they do no harm, but one is enough; with different NODE_LABELS each removes labels of the other, ' +
  'and each deregisters by its own METADATA, POLICY and grace periods';

/** `here` is what listens on the port of LISTEN; `plan` is the plan of a first pass, where it is known. */
export function checkCopies(
  { asked, why, daemons }: CopiesResult,
  here: ListenerResult,
  { listen }: Settings,
  plan: Plan | undefined,
): readonly Finding[] {
  const all = [...daemons, ...(here.kind === 'ours' ? [here.daemon] : [])].filter(({ dryRun }) => !dryRun);
  const different = [...new Map(all.map((daemon) => [daemon.startedAt, daemon])).values()];
  const findings = ownerWarnings(plan);
  if (different.length > 1) {
    const each = different.map((daemon) => `${daemon.place}: ${describeDaemon(daemon)}`);
    findings.push(
      warning(
        `${examples(`${different.length} copies run`, each)}; ${DANGER}`,
        'fleetctl list-units | grep kube-register',
      ),
    );
  }
  if (findings.length > 0) return findings.map((found) => named('other-daemons', found));
  if (asked === undefined) return [named('other-daemons', skipped(`unknown: ${why}`))];
  const [only] = different;
  const found = only === undefined ? 'no daemon found' : `one daemon found, at ${only.place}`;
  const where = listen === 'off' ? '' : `port ${listen.port} of ${plural(asked, 'machine')} was checked; `;
  return [named('other-daemons', ok(`${found} (${where}a daemon that listens elsewhere is not found)`))];
}

/** Managed nodes that these settings would not have registered: those of another kube-register, or of earlier settings. */
function ownerWarnings(plan: Plan | undefined) {
  const nodesThatAre = (verdict: string) =>
    [...(plan?.nodes ?? [])].filter(([, { name }]) => name === verdict).map(([node]) => node);
  const orphans = nodesThatAre('orphan');
  const unmatched = nodesThatAre('unmatched');
  return [
    ...(orphans.length > 0
      ? [
          warning(
            `${examples(`${plural(orphans.length, 'managed node')} alive, with a machine that is missing from fleet`, orphans)}; either fleet is down on that machine, or a kube-register of another fleet uses this API server (then give each its own KUBE_REGISTER_OWNER_ID)`,
            'fleetctl list-machines --full',
          ),
        ]
      : []),
    ...(unmatched.length > 0
      ? [
          warning(
            `${examples(`${plural(unmatched.length, 'managed node')} alive, with a machine that does not match METADATA`, unmatched)}; either METADATA was changed, or a kube-register with another METADATA uses this API server (then give each its own KUBE_REGISTER_OWNER_ID)`,
            'fleetctl list-machines --full',
          ),
        ]
      : []),
  ];
}
