/** Finds the kube-register at an address by what it shows to everybody, over http or https. */
import { networkInterfaces } from 'node:os';
import pLimit from 'p-limit';
import { GetError, getText, type TextAnswer } from '../http/get-text.ts';
import { quote } from '../text/quote.ts';
import { IDENTITY_HEADER, type Identity, readIdentity } from './identity.ts';
import { hostPort, isWildcard, type ListenAddress } from './listen.ts';

/** A running kube-register, at one of its addresses. */
export interface Daemon extends Identity {
  readonly host: string;
  /** `10.0.0.1:10271` */
  readonly place: string;
}

const TIMEOUT_MS = 2_000;
const ASKED_AT_ONCE = 20;
/** More addresses than these are not asked. */
export const MOST_ASKED = 100;

/** What a daemon responds, and the URL that it was asked at. */
interface DaemonAnswer extends TextAnswer {
  readonly url: string;
}

/**
 * GET over http, and over https where what listens there does not speak http. `place` is host:port. The certificate is not verified.
 * Throws GetError.
 */
export async function getFromDaemon(
  place: string,
  path: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<DaemonAnswer> {
  const get = async (url: string) => ({ ...(await getText(url, timeoutMs, signal)), url });
  try {
    return await get(`http://${place}${path}`);
  } catch (error) {
    if (!(error instanceof GetError) || !error.notHttp) throw error;
    return get(`https://${place}${path}`).catch(() => {
      throw error;
    });
  }
}

/** The daemons that respond, in the order of the hosts. Throws only the signal's reason. */
export async function daemonsAt(
  hosts: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<readonly Daemon[]> {
  const limit = pLimit(ASKED_AT_ONCE);
  const answers = await Promise.all(hosts.map((host) => limit(() => daemonAt(host, port, signal))));
  return answers.filter((daemon) => daemon !== undefined);
}

/** The kube-register that responds there, or undefined. Throws only the signal's reason. */
async function daemonAt(host: string, port: number, signal: AbortSignal): Promise<Daemon | undefined> {
  const place = hostPort({ host, port });
  try {
    const identity = readIdentity((await getFromDaemon(place, '/healthz', TIMEOUT_MS, signal)).header(IDENTITY_HEADER));
    return identity && { host, place, ...identity };
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** `kube-register 0.1.0, running since 2026-11-28T12:00:00.000Z in a dry run` */
export function describeDaemon({ version, startedAt, dryRun }: Identity): string {
  return `kube-register ${quote(version).slice(1, -1)}, running since ${quote(startedAt).slice(1, -1)}${dryRun ? ' in a dry run' : ''}`;
}

/** The hosts at which a port of LISTEN can be reached from this machine. */
export function hostsFor({ host }: ListenAddress): readonly string[] {
  if (!isWildcard(host)) return [host];
  const own = ownInterfaces().filter(({ scopeid }) => scopeid === undefined || scopeid === 0);
  return own.map(({ address }) => address).slice(0, MOST_ASKED);
}

/** The addresses of this machine. */
export function ownInterfaces() {
  return Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
}
