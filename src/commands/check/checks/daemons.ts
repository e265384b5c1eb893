/** The checks of other copies of the program: at our own port, and at the same port of fleet's machines. */
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

/** A kube-register that answers, at one of its addresses. */
interface Daemon {
  readonly host: string;
  readonly place: string;
  readonly version: string;
  /** ISO 8601, to the ms: it tells two of them apart, and one that answers at two addresses from two. */
  readonly startedAt: string;
  readonly dryRun: boolean;
}

const answering = statusDocument.pick({ version: true, startedAt: true, dryRun: true });

const PATIENCE_MS = 2_000;
const ASKED_AT_ONCE = 20;
/** More machines than these are not asked. */
const MOST_ASKED = 100;

/** Undefined when no kube-register answers there, whoever else does. Throws the signal's reason alone. */
async function daemonAt(host: string, port: number, signal: AbortSignal): Promise<Daemon | undefined> {
  const place = hostPort({ host, port });
  try {
    const { status, body } = await getText(`http://${place}/status`, PATIENCE_MS, signal);
    const parsed = status === 200 ? answering.safeParse(JSON.parse(body)) : undefined;
    return parsed?.success ? { host, place, ...parsed.data } : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

export type ListenerLook =
  /** LISTEN=off. */
  | { readonly kind: 'off' }
  | { readonly kind: 'free' }
  | { readonly kind: 'ours'; readonly daemon: Daemon }
  /** `asked` are the hosts at which no kube-register answers. */
  | { readonly kind: 'refused'; readonly code: string; readonly asked: readonly string[] };

/** Takes the port for a moment, and asks who has it when it cannot be had. Throws the signal's reason alone. */
export async function lookAtListener({ listen }: Settings, signal: AbortSignal): Promise<ListenerLook> {
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
    const asked = hostsOf(listen.host);
    const [daemon] = await daemonsAt(asked, listen.port, signal);
    return daemon === undefined ? { kind: 'refused', code, asked } : { kind: 'ours', daemon };
  }
}

/** Those that answer, in the order of the hosts. Throws the signal's reason alone. */
async function daemonsAt(hosts: readonly string[], port: number, signal: AbortSignal): Promise<readonly Daemon[]> {
  const limit = pLimit(ASKED_AT_ONCE);
  const answers = await Promise.all(hosts.map((host) => limit(() => daemonAt(host, port, signal))));
  return answers.filter((daemon) => daemon !== undefined);
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function ownInterfaces() {
  return Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
}

/** Where a port of this machine answers that was asked for on this host. */
function hostsOf(host: string): readonly string[] {
  if (!isEverywhere(host)) return [host];
  const own = ownInterfaces().filter(({ scopeid }) => scopeid === undefined || scopeid === 0);
  return own.map(({ address }) => address).slice(0, MOST_ASKED);
}

/** Of the loopback, every address of its network is this machine's. */
function isHere(host: string): boolean {
  const own = new BlockList();
  for (const { address, family, internal, cidr } of ownInterfaces()) {
    const prefix = Number(cidr?.split('/')[1]);
    const type = family === 'IPv6' ? 'ipv6' : 'ipv4';
    if (internal && prefix > 0) own.addSubnet(address, prefix, type);
    else own.addAddress(address, type);
  }
  return isIP(host) !== 0 && own.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

/** A port that is wanted everywhere may be taken at an address that none of the interfaces names, but fleet does. */
export function whoseIs(look: ListenerLook, { daemons }: CopiesLook, { listen }: Settings): ListenerLook {
  if (look.kind !== 'refused' || look.code !== 'EADDRINUSE') return look;
  if (listen === 'off' || !isEverywhere(listen.host)) return look;
  const daemon = daemons.find(({ host }) => isHere(host));
  return daemon === undefined ? look : { kind: 'ours', daemon };
}

export function checkListener(look: ListenerLook, { listen }: Settings): Finding {
  return named('listener', listen === 'off' || look.kind === 'off' ? UNHEARD : checkPort(look, listen));
}

const UNHEARD = ok('KUBE_REGISTER_LISTEN=off: no page, and no metrics');

function checkPort(look: Exclude<ListenerLook, { kind: 'off' }>, listen: Exclude<Settings['listen'], 'off'>) {
  const place = hostPort(listen);
  switch (look.kind) {
    case 'free':
      return ok(listen.port === 0 ? `any free port of ${listen.host} does` : `${place} is free`);
    case 'ours':
      return ok(`${place} is taken by ${about(look.daemon)}`);
    case 'refused': {
      const problem = `${place} cannot be had: ${LISTEN_PROBLEMS[look.code] ?? look.code}`;
      if (look.code !== 'EADDRINUSE') return wrong(problem, `KUBE_REGISTER_LISTEN=0.0.0.0:${listen.port}`);
      return wrong(
        `${problem}, and no kube-register answers at ${few(look.asked)}`,
        `ss -ltnp 'sport = :${listen.port}'`,
      );
    }
  }
}

function about({ version, startedAt, dryRun }: Daemon): string {
  return `kube-register ${quote(version).slice(1, -1)}, which runs since ${quote(startedAt).slice(1, -1)}${dryRun ? ' in a dry run' : ''}`;
}

export interface CopiesLook {
  /** How many machines were asked; undefined when it would tell nothing, and then `why` says why. */
  readonly asked: number | undefined;
  readonly why: string;
  readonly daemons: readonly Daemon[];
}

/** Asks fleet's machines, where they are known, at our own port. Throws the signal's reason alone. */
export async function lookForCopies(
  { listen }: Settings,
  machines: ReadonlyMap<string, Machine> | undefined,
  signal: AbortSignal,
): Promise<CopiesLook> {
  const none = { asked: undefined, daemons: [] };
  if (listen === 'off' || listen.port === 0) return { ...none, why: 'KUBE_REGISTER_LISTEN names no port' };
  if (['127.0.0.1', '::1', 'localhost'].includes(listen.host)) {
    return { ...none, why: 'KUBE_REGISTER_LISTEN is on the loopback, where others cannot be asked' };
  }
  if (machines === undefined) return { ...none, why: 'fleet does not say whom to ask' };
  const addresses = new Set([...machines.values()].flatMap((machine) => machine.addresses));
  const asked = [...addresses].slice(0, MOST_ASKED);
  return { asked: asked.length, why: '', daemons: await daemonsAt(asked, listen.port, signal) };
}

const DANGER =
  'with equal settings they do each other no harm, and nothing better than one; where NODE_LABELS differs, ' +
  'labels come and go for ever, and each deregisters by its own METADATA, POLICY and graces';

/** `here` is what has our own port; `plan` what a first pass decides, where it is known. */
export function checkCopies(
  { asked, why, daemons }: CopiesLook,
  here: ListenerLook,
  { listen }: Settings,
  plan: Plan | undefined,
): readonly Finding[] {
  const all = [...daemons, ...(here.kind === 'ours' ? [here.daemon] : [])].filter(({ dryRun }) => !dryRun);
  const different = [...new Map(all.map((daemon) => [daemon.startedAt, daemon])).values()];
  const findings = strangers(plan);
  if (different.length > 1) {
    const each = different.map((daemon) => `${daemon.place}: ${about(daemon)}`);
    findings.push(
      warning(`${examples(`${different.length} answer`, each)}; ${DANGER}`, 'fleetctl list-units | grep kube-register'),
    );
  }
  if (findings.length > 0) return findings.map((found) => named('other-daemons', found));
  if (asked === undefined) return [named('other-daemons', skipped(`not known: ${why}`))];
  const [only] = different;
  const found = only === undefined ? 'none is at work' : `one is at work, at ${only.place}`;
  const where = listen === 'off' ? '' : `asked at port ${listen.port} of ${plural(asked, 'machine')}; `;
  return [named('other-daemons', ok(`${found} (${where}one that listens elsewhere would not be seen)`))];
}

/** Marks that this installation cannot have written as it is set: somebody else's, or of earlier settings. */
function strangers(plan: Plan | undefined) {
  const nodesThatAre = (verdict: string) =>
    [...(plan?.nodes ?? [])].filter(([, { name }]) => name === verdict).map(([node]) => node);
  const orphans = nodesThatAre('orphan');
  const unmatched = nodesThatAre('unmatched');
  return [
    ...(orphans.length > 0
      ? [
          warning(
            `${examples(`${plural(orphans.length, 'managed node')} alive whose machine is missing from fleet`, orphans)}; either fleet's agent is down there, or a kube-register with another fleet writes to this API server (then each needs its own KUBE_REGISTER_OWNER_ID)`,
            'fleetctl list-machines --full',
          ),
        ]
      : []),
    ...(unmatched.length > 0
      ? [
          warning(
            `${examples(`${plural(unmatched.length, 'managed node')} alive whose machine does not match METADATA`, unmatched)}; either METADATA was another one before, or a kube-register with another one writes to this API server (then each needs its own KUBE_REGISTER_OWNER_ID)`,
            'fleetctl list-machines --full',
          ),
        ]
      : []),
  ];
}
