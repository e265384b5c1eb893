/** Finds other daemons: at the port of LISTEN on this machine, and at the same port of fleet's machines. */
import { BlockList, createServer, isIP, isIPv6 } from 'node:net';
import { CredentialError } from '../../../credentials/credential-error.ts';
import type { Machine } from '../../../reconcile/evidence/machines.ts';
import type { Plan } from '../../../reconcile/plan/plan.ts';
import type { Settings } from '../../../settings/settings.ts';
import { plural } from '../../../text/plural.ts';
import { describeWebConfig, loadWebConfig } from '../../../web/access/web-config.ts';
import {
  type Daemon,
  daemonsAt,
  describeDaemon,
  hostsFor,
  MOST_ASKED,
  ownInterfaces,
} from '../../../web/find-daemons.ts';
import { hostPort, isWildcard, LISTEN_PROBLEMS, ListenError, listenAt } from '../../../web/listen.ts';
import { examples, type Finding, few, named, ok, skipped, warning, wrong } from '../finding.ts';
import { mendOf } from '../mends.ts';

export type ListenerResult =
  /** LISTEN=off. */
  | { readonly kind: 'off' }
  /** WEB_CONFIG_FILE cannot be used. */
  | { readonly kind: 'unusable'; readonly failure: CredentialError }
  /** `web` describes WEB_CONFIG_FILE. */
  | { readonly kind: 'free'; readonly web: string | undefined }
  | { readonly kind: 'ours'; readonly daemon: Daemon }
  /** `asked` are the hosts where no kube-register responded. */
  | { readonly kind: 'refused'; readonly code: string; readonly asked: readonly string[] };

/** Reads WEB_CONFIG_FILE, and listens on the port for a moment; where that fails, looks for a kube-register there. Throws only the signal's reason. */
export async function inspectListener(settings: Settings, signal: AbortSignal): Promise<ListenerResult> {
  const { listen, webConfigFile } = settings;
  if (listen === 'off') return { kind: 'off' };
  let web: string | undefined;
  try {
    const config = await loadWebConfig(settings);
    web = webConfigFile === undefined ? undefined : describeWebConfig(config);
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    return { kind: 'unusable', failure: error };
  }
  const server = createServer();
  try {
    await listenAt(server, listen);
    server.close();
    return { kind: 'free', web };
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const { code } = error;
    if (code !== 'EADDRINUSE') return { kind: 'refused', code, asked: [] };
    const asked = hostsFor(listen);
    const [daemon] = await daemonsAt(asked, listen.port, signal);
    return daemon === undefined ? { kind: 'refused', code, asked } : { kind: 'ours', daemon };
  }
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
    case 'unusable':
      return wrong(result.failure.message, mendOf(result.failure));
    case 'free': {
      const web = result.web === undefined ? '' : ` (${result.web})`;
      return ok(listen.port === 0 ? `any free port on ${listen.host}${web}` : `${place} is free${web}`);
    }
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
