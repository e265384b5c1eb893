/** The check of the API server: whether it answers, which one it is, what can be done there, and who checks that it is the right one. */

import { openKubernetes } from '../../../daemon/clients.ts';
import type { HttpClient, RequestObserver } from '../../../http/http-client.ts';
import { RequestError } from '../../../http/request-error.ts';
import { type ApiAccess, isLoopback } from '../../../kubernetes/access/credentials.ts';
import { identify } from '../../../kubernetes/discovery.ts';
import { eraOf } from '../../../kubernetes/era.ts';
import type { Era } from '../../../kubernetes/registry.ts';
import type { Settings } from '../../../settings/settings.ts';
import type { Clock } from '../../../time/clock.ts';
import { type Finding, named, ok, skippedBy, warning, wrong } from '../finding.ts';
import { type Failure, failureOf, mendOf, mendOfCa, mendOfEndpoint, mendOfServer } from '../mends.ts';
import { type Offset, observeClient } from './observed.ts';

export interface ApiServerSeen {
  readonly http: HttpClient;
  readonly access: ApiAccess;
  readonly era: Era;
}

/** `failure` is why the server was not identified; without `access`, the files of credentials cannot be used. */
export type ApiServerResult = { readonly offset: () => Offset | undefined; close(): void } & (
  | { readonly seen: ApiServerSeen; readonly access: ApiAccess }
  | { readonly seen: undefined; readonly access: ApiAccess; readonly failure: Failure }
  | { readonly seen: undefined; readonly access: undefined; readonly failure: Failure }
);

/** Asks which server it is. Throws the signal's reason alone. */
export async function inspectApiServer(
  settings: Settings,
  { clock, observer }: { readonly clock: Clock; readonly observer: RequestObserver },
  signal: AbortSignal,
): Promise<ApiServerResult> {
  let opened: Awaited<ReturnType<typeof openKubernetes>>;
  try {
    opened = await openKubernetes(settings, observer);
  } catch (error) {
    return { seen: undefined, access: undefined, failure: failureOf(error), offset: () => undefined, close: () => {} };
  }
  const { access } = opened;
  const { http, offset } = observeClient(opened.http, clock);
  const common = { access, offset, close: () => http.close() };
  try {
    const era = eraOf(await identify(http, settings.api.version, signal));
    return { ...common, seen: { http, access, era } };
  } catch (error) {
    signal.throwIfAborted();
    return { ...common, seen: undefined, failure: failureOf(error) };
  }
}

/** `nodesFailure` is why the nodes could not be read: a server that has none is no API server, or not of that API version. */
export function checkApiServer(
  result: ApiServerResult,
  settings: Settings,
  nodesFailure: Error | undefined,
): readonly Finding[] {
  const { access } = result;
  if (access === undefined)
    return [named('api-server', skippedBy('credentials')), named('tls', skippedBy('credentials'))];
  return [named('api-server', checkAnswer(result, settings, nodesFailure)), named('tls', checkTls(access))];
}

function checkAnswer(result: ApiServerResult, settings: Settings, nodesFailure: Error | undefined) {
  if (result.seen === undefined) return wrong(result.failure.message, mendOf(result.failure, result.access));
  if (nodesFailure instanceof RequestError && nodesFailure.status === 404) {
    const isAsked = settings.api.version !== 'auto';
    const mend = isAsked ? 'KUBE_REGISTER_API_VERSION=auto' : mendOfEndpoint('kubernetes', result.access);
    return wrong(nodesFailure.message, mend);
  }
  const { era, http } = result.seen;
  return ok(`reachable at ${http.server}: ${era.server}; ${abilities(era, settings)}`);
}

/** What deploy/docs/compatibility.md says of a server of this age. */
function abilities({ hidesMinions, canUpdate, takesEvents }: Era, { events }: Settings): string {
  if (hidesMinions)
    return 'registers only: a server before v0.9 hides dead minions, so none is adopted or deregistered';
  if (!canUpdate) return 'registers and deregisters; a server before v0.13 cannot change minions, so none is adopted';
  const rest = 'registers, adopts, labels and deregisters';
  return events && !takesEvents ? `${rest}; writes no Events, because that needs API v1` : rest;
}

function checkTls({ endpoint, tls, source }: ApiAccess) {
  const { protocol, hostname } = new URL(endpoint);
  if (protocol === 'https:') {
    if (!tls.insecureSkipVerify) return ok("the server's certificate is verified");
    const risk = 'anyone on the network path can impersonate the API server and read the credentials';
    return warning(`the server's certificate is not verified: ${risk}`, mendOfCa(source));
  }
  if (isLoopback(hostname)) return ok('plain http on the loopback interface');
  const risk = 'anyone on the network path can impersonate the API server; use it only on a private network';
  return warning(`plain http to another host: ${risk}`, mendOfServer(source, `https://${hostname}:PORT`));
}
